import { registerHooks } from 'node:module';
import { context, trace } from '@opentelemetry/api';
import { loadConfig } from '../../../lib/config/index.ts';

/** Stands for a process of the platform: starts telemetry, makes two spans, and says what was loaded for it. */
const loaded: string[] = [];
registerHooks({
  load(url, hookContext, next) {
    loaded.push(url);
    return next(url, hookContext);
  },
});

const { createLogger, startTelemetry } = await import('../../../lib/telemetry/index.ts');
const telemetry = await startTelemetry({ config: loadConfig('worker-cpu', { SAIP_BAO_LOGIN_FILE: '/none' }) });
const log = createLogger('traced-process');

trace.getTracer('test').startActiveSpan('request', (span) => {
  log.info('inside');
  const { traceId, spanId, traceFlags } = span.spanContext();
  telemetry.recordSpan({
    name: 'workflow',
    kind: 0,
    spanContext: { traceId, spanId: 'feedfacefeedface', traceFlags },
    parentSpanId: spanId,
    startTime: [1_767_225_600, 0],
    endTime: [1_767_225_601, 500_000_000],
    status: { code: 2, message: 'refused' },
    attributes: { workflow_id: 'train-1' },
    links: [],
    events: [{ name: 'gate', time: [1_767_225_601, 0], attributes: { passed: false } }],
  });
  span.end();
});
context.disable();
await telemetry.shutdown();
const sdk = loaded.some((url) => /@opentelemetry\/(?:sdk|exporter)/.test(url));
process.stdout.write(`${JSON.stringify({ enabled: telemetry.enabled, sdk })}\n`);

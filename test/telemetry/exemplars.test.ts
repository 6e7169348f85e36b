import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT, context, trace, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { Counter } from 'prom-client';
import { TracedHistogram, createMetricsRegistry, openMetrics } from '../../lib/telemetry/index.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
afterAll(() => {
  context.disable();
});

function inSpan<T>(traceFlags: TraceFlags, work: () => T): T {
  const span = trace.wrapSpanContext({ traceId, spanId, traceFlags });
  return context.with(trace.setSpan(ROOT_CONTEXT, span), work);
}

function measured() {
  const registry = createMetricsRegistry('test');
  const registers = [registry];
  const buckets = [0.1, 1];
  const histogram = new TracedHistogram({ name: 'seconds', help: 'h', labelNames: ['model'], buckets, registers });
  new Counter({ name: 'nv_count', help: 'Known by this name.', registers }).inc(3);
  new Counter({ name: 'saip_count_total', help: 'Ours.', registers }).inc(4);
  return { registry, histogram };
}

const bucketsOf = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('seconds_bucket'));

describe('exemplars', () => {
  it('name the sampled span that was counted last in a bucket, and no other one', async () => {
    const { registry, histogram } = measured();
    histogram.observe({ model: 'm' }, 0.05);
    inSpan(TraceFlags.NONE, () => histogram.observe({ model: 'm' }, 0.06));
    inSpan(TraceFlags.SAMPLED, () => histogram.observe({ model: 'm' }, 0.5));
    inSpan(TraceFlags.SAMPLED, () => histogram.observe({ model: 'm' }, 7));
    const found = expect.stringMatching(/^\{trace_id="0af7651916cd43dd8448eb211c80319c",span_id="b7ad6b7169203331"\}/);
    const lines = bucketsOf(await openMetrics(registry)).map((line) => line.split(' # '));
    expect(lines).toEqual([
      [expect.stringMatching(/le="0.1".* 2$/)],
      [expect.stringMatching(/le="1".* 3$/), found],
      [expect.stringMatching(/le="\+Inf".* 4$/), found],
    ]);
    expect(lines[1]?.[1]).toMatch(/ 0\.5 \d+(?:\.\d+)?$/);
  });
});

describe('OpenMetrics', () => {
  it('ends as it must, and keeps the names of counters', async () => {
    const { registry } = measured();
    const before = await registry.metrics();
    const text = await openMetrics(registry);
    expect(text.endsWith('\n# EOF\n')).toBe(true);
    expect(text).toMatch(/^# TYPE saip_count counter\nsaip_count_total\{service="test"\} 4$/m);
    expect(text).toMatch(/^# TYPE nv_count unknown\nnv_count\{service="test"\} 3$/m);
    expect(text).not.toContain('\n\n');
    // What the other format says is not changed by it.
    const named = (metrics: string): string[] => metrics.split('\n').filter((line) => line.startsWith('# TYPE'));
    expect(named(await registry.metrics())).toEqual(named(before));
  });
});

import { context } from '@opentelemetry/api';
import { ServerResponse, type IncomingMessage } from 'node:http';
import { beginTrace, endTrace, nameSpan } from '../../api/http/trace.ts';
import { TracedHistogram, createMetricsRegistry } from '../../lib/telemetry/index.ts';
import { median } from '../figure.ts';

const CALLS = 20_000;
const ROUNDS = 9;
const PATH = '/v2/models/mnist/infer';

/**
 * Microseconds of what a request of the data plane calls of OpenTelemetry while no SDK is loaded: its span, its context,
 * its trace id, which there is in any case, and the exemplar that it does not get.
 */
export function callsWhileOff(): number {
  const request = { method: 'POST', headers: {}, httpVersionMajor: 1, httpVersionMinor: 1 } as IncomingMessage;
  const response = new ServerResponse(request);
  const histogram = new TracedHistogram({ name: 'seconds', help: 'h', registers: [createMetricsRegistry('bench')] });
  const one = (): void => {
    const trace = beginTrace(request, PATH);
    nameSpan('POST', PATH, trace.span);
    context.with(trace.context, () => histogram.observe({}, 0.001));
    endTrace(trace, response);
  };
  const rounds = Array.from({ length: ROUNDS }, () => {
    const startedAt = process.cpuUsage();
    for (let call = 0; call < CALLS; call += 1) one();
    const { user, system } = process.cpuUsage(startedAt);
    return (user + system) / CALLS;
  });
  return median(rounds);
}

import { trace } from '@opentelemetry/api';
import type { Ran } from './batcher.ts';

const tracer = trace.getTracer('saip-api');

/** Shows, in the trace of the request, how long it waited for its call of the runtime and how long that took. */
export function traceRun({ askedAt, startedAt, endedAt, batch }: Ran, model: { model: string; version: string }): void {
  if (trace.getActiveSpan()?.isRecording() !== true) return;
  const attributes = { 'saip.model': model.model, 'saip.model.version': model.version, 'saip.batch.requests': batch };
  span('inference queue', askedAt, startedAt, {});
  span('onnxruntime run', startedAt, endedAt, attributes);
}

function span(name: string, from: number, to: number, attributes: Record<string, string | number>): void {
  const { timeOrigin } = performance;
  tracer.startSpan(name, { startTime: timeOrigin + from, attributes }).end(timeOrigin + to);
}

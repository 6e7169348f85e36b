import {
  ROOT_CONTEXT,
  TraceFlags,
  trace,
  type Attributes,
  type Context,
  type HrTime,
  type Link,
  type SpanKind,
  type SpanStatus,
} from '@opentelemetry/api';
import type { GivenIds, SpanIds } from './span-ids.ts';

/** A span that ended where no exporter is, such as in the isolate of a workflow. */
export interface FinishedSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly spanContext: GivenIds & { readonly traceFlags: number };
  readonly parentSpanId?: string;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly status: SpanStatus;
  readonly attributes: Attributes;
  readonly links: Link[];
  readonly events: readonly { readonly name: string; readonly time: HrTime; readonly attributes?: Attributes }[];
}

/** Gives finished spans to the provider of this process, under the ids that other spans know them by. */
export function createSpanRecorder(ids: SpanIds): (span: FinishedSpan) => void {
  const tracer = trace.getTracer('saip-finished-spans');
  return (finished) => {
    if ((finished.spanContext.traceFlags & TraceFlags.SAMPLED) === 0) return;
    const { name, kind, attributes, links, startTime } = finished;
    const span = ids.reuse(finished.spanContext, () =>
      tracer.startSpan(name, { kind, attributes, links, startTime }, parentOf(finished)),
    );
    for (const event of finished.events) span.addEvent(event.name, event.attributes, event.time);
    span.setStatus(finished.status);
    span.end(finished.endTime);
  };
}

function parentOf({ parentSpanId, spanContext: { traceId, traceFlags } }: FinishedSpan): Context {
  if (parentSpanId === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: parentSpanId, traceFlags, isRemote: true });
}

import { TraceFlags, trace } from '@opentelemetry/api';
import { Histogram, type HistogramConfiguration, type LabelValues } from 'prom-client';

/** Where an example of a measurement is found; the names are those that Grafana looks for. */
type SpanLabels = Readonly<Record<'trace_id' | 'span_id', string>>;

const NONE = {};

/** A histogram whose buckets name the trace that was last counted in them (OpenMetrics, "Exemplars"). */
export class TracedHistogram<T extends string> {
  readonly #histogram: Histogram;

  constructor({ registers = [], ...configuration }: HistogramConfiguration<T>) {
    // prom-client takes exemplars into registries of OpenMetrics only; one of the older format leaves them out.
    this.#histogram = new Histogram({
      ...(configuration as HistogramConfiguration<string>),
      enableExemplars: true,
      registers: [],
    });
    for (const registry of registers) registry.registerMetric(this.#histogram);
  }

  /** Counts `value`, with the active span as its example where that is sampled: another one nobody could look up. */
  observe(labels: LabelValues<T>, value: number): void {
    this.#histogram.observe({ labels, value, exemplarLabels: sampledSpan() ?? NONE });
  }
}

/** Without tracing there is no active span, which is known at once. */
function sampledSpan(): SpanLabels | undefined {
  const span = trace.getActiveSpan()?.spanContext();
  if (span === undefined || (span.traceFlags & TraceFlags.SAMPLED) === 0) return undefined;
  return { trace_id: span.traceId, span_id: span.spanId };
}

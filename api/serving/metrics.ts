import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { TracedHistogram } from '../../lib/telemetry/index.ts';
import type { InferTimings } from './infer.ts';
import type { ServedModels } from './served-models.ts';
import { ServingStatistics, type Counts, type Durations } from './statistics.ts';

const labelNames = ['model', 'version'] as const;

/** Inference metrics under the names that clients of Triton Inference Server know. */
export class InferenceMetrics {
  /** The same, as the statistics extension of the protocol tells it. */
  readonly statistics = new ServingStatistics();
  readonly #failure: Counter<'model' | 'code'>;
  readonly #latency: TracedHistogram<'model_name' | 'model' | 'version'>;
  readonly #batch: Histogram<'model' | 'version'>;

  constructor(registry: Registry, served: ServedModels) {
    const registers = [registry];
    this.#counted(registry, 'nv_inference_request_success', 'Requests that were answered.', ({ durations }) => {
      return durations.success.count;
    });
    this.#counted(registry, 'nv_inference_count', 'Rows that were inferred.', ({ rows }) => rows);
    this.#counted(registry, 'nv_inference_exec_count', 'Calls of the runtime.', ({ executions }) => executions);
    this.#summed(registry, 'nv_inference_request_duration_us', 'in requests', 'success');
    this.#summed(registry, 'nv_inference_compute_infer_duration_us', 'in the runtime', 'compute_infer');
    this.#summed(registry, 'nv_inference_queue_duration_us', 'in the queue of the model', 'queue');
    this.#failure = new Counter({
      name: 'nv_inference_request_failure',
      help: 'Requests that were refused or failed, by error code.',
      labelNames: ['model', 'code'] as const,
      registers,
    });
    this.#batch = new Histogram({
      name: 'saip_inference_batch_requests',
      help: 'Requests that shared the call of the runtime with a request, itself included.',
      labelNames,
      buckets: [1, 2, 4, 8, 16, 32, 64],
      registers,
    });
    this.#latency = new TracedHistogram({
      name: 'request_predict_seconds',
      help: 'Time of one prediction in the runtime.',
      // KServe's dashboards ask by `model_name`.
      labelNames: ['model_name', 'model', 'version'] as const,
      buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
      registers,
    });
    new Gauge({
      name: 'saip_serving_alias_ready',
      help: '1 for an alias whose version answers, 0 for one that is loading or refused.',
      labelNames: ['model', 'alias', 'version'] as const,
      registers,
      // Of several processes, the one that is behind tells.
      aggregator: 'min',
      collect() {
        this.reset();
        for (const { state, target } of served.slots()) {
          this.set({ model: target.model, alias: target.alias, version: target.version }, state === 'ready' ? 1 : 0);
        }
      },
    });
  }

  succeeded(model: { model: string; version: string }, seconds: number, timings: InferTimings): void {
    this.statistics.succeeded(model, seconds * 1e3, timings);
    const labels = { model: model.model, version: model.version };
    this.#batch.observe(labels, timings.batch ?? 1);
    this.#latency.observe({ model_name: model.model, ...labels }, timings.compute / 1e3);
  }

  /** `model` is what answered, where that is known, so that callers cannot make up label values. */
  failed(model: { model: string; version: string } | undefined, code: string, seconds: number): void {
    if (model) this.statistics.failed(model, seconds * 1e3);
    this.#failure.inc({ model: model?.model ?? 'unknown', code });
  }

  /** Of each version a number that is kept anyway, and read when metrics are: a request does not pay for it. */
  #counted(registry: Registry, name: string, help: string, of: (counts: Counts) => number): void {
    const { statistics } = this;
    new Counter({
      ...{ name, help, labelNames, registers: [registry] },
      collect() {
        this.reset();
        for (const { model, version, counts } of statistics.all()) this.inc({ model, version }, of(counts));
      },
    });
  }

  #summed(registry: Registry, name: string, where: string, duration: Durations): void {
    const help = `Sum of the time ${where}, in microseconds.`;
    this.#counted(registry, name, help, ({ durations }) => Math.round(durations[duration].ms * 1e3));
  }
}

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { InferTimings } from './infer.ts';
import type { ServedModels } from './served-models.ts';
import { ServingStatistics } from './statistics.ts';

/** Inference metrics under the names that clients of Triton Inference Server know. */
export class InferenceMetrics {
  /** The same, as the statistics extension of the protocol tells it. */
  readonly statistics = new ServingStatistics();
  readonly #success: Counter<'model' | 'version'>;
  readonly #failure: Counter<'model' | 'code'>;
  readonly #count: Counter<'model' | 'version'>;
  readonly #executions: Counter<'model' | 'version'>;
  readonly #duration: Counter<'model' | 'version'>;
  readonly #compute: Counter<'model' | 'version'>;
  readonly #queue: Counter<'model' | 'version'>;
  readonly #latency: Histogram<'model_name' | 'model' | 'version'>;
  readonly #batch: Histogram<'model' | 'version'>;

  constructor(registry: Registry, served: ServedModels) {
    const registers = [registry];
    const labelNames = ['model', 'version'] as const;
    this.#success = new Counter({
      name: 'nv_inference_request_success',
      help: 'Requests that were answered.',
      labelNames,
      registers,
    });
    this.#failure = new Counter({
      name: 'nv_inference_request_failure',
      help: 'Requests that were refused or failed, by error code.',
      labelNames: ['model', 'code'] as const,
      registers,
    });
    this.#count = new Counter({
      name: 'nv_inference_count',
      help: 'Rows that were inferred.',
      labelNames,
      registers,
    });
    this.#executions = new Counter({
      name: 'nv_inference_exec_count',
      help: 'Calls of the runtime.',
      labelNames,
      registers,
    });
    this.#duration = new Counter({
      name: 'nv_inference_request_duration_us',
      help: 'Sum of the time in requests, in microseconds.',
      labelNames,
      registers,
    });
    this.#compute = new Counter({
      name: 'nv_inference_compute_infer_duration_us',
      help: 'Sum of the time in the runtime, in microseconds.',
      labelNames,
      registers,
    });
    this.#queue = new Counter({
      name: 'nv_inference_queue_duration_us',
      help: 'Sum of the time in the queue of the model, in microseconds.',
      labelNames,
      registers,
    });
    this.#batch = new Histogram({
      name: 'saip_inference_batch_requests',
      help: 'Requests that shared the call of the runtime with a request, itself included.',
      labelNames,
      buckets: [1, 2, 4, 8, 16, 32, 64],
      registers,
    });
    this.#latency = new Histogram({
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
    this.#success.inc(labels);
    this.#count.inc(labels, timings.rows);
    // A call that several share counts once, in parts.
    this.#executions.inc(labels, 1 / (timings.batch ?? 1));
    this.#duration.inc(labels, Math.round(seconds * 1e6));
    this.#compute.inc(labels, Math.round(timings.compute * 1e3));
    this.#queue.inc(labels, Math.round((timings.queued ?? 0) * 1e3));
    this.#batch.observe(labels, timings.batch ?? 1);
    this.#latency.observe({ model_name: model.model, ...labels }, timings.compute / 1e3);
  }

  /** `model` is what answered, where that is known, so that callers cannot make up label values. */
  failed(model: { model: string; version: string } | undefined, code: string, seconds: number): void {
    if (model) this.statistics.failed(model, seconds * 1e3);
    this.#failure.inc({ model: model?.model ?? 'unknown', code });
  }
}

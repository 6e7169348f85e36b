import type { ModelStatistics, StatisticDuration } from '../../contracts/statistics.ts';
import type { InferTimings } from './infer.ts';

/** Names a version. */
interface Version {
  readonly model: string;
  readonly version: string;
}

export type Durations = keyof ModelStatistics['inference_stats'];

/** What a version did. */
export interface Counts {
  lastInference: number;
  rows: number;
  executions: number;
  readonly durations: Record<Durations, { count: number; ms: number }>;
}

const zero = (): { count: number; ms: number } => ({ count: 0, ms: 0 });

/** Counts what each version did in this process, for the statistics extension. Times are milliseconds. */
export class ServingStatistics {
  readonly #counts = new Map<string, Version & { readonly counts: Counts }>();

  succeeded(version: Version, latency: number, timings: InferTimings): void {
    const counts = this.#of(version);
    counts.lastInference = Date.now();
    counts.rows += timings.rows;
    // A call that several share counts once, in parts.
    counts.executions += 1 / (timings.batch ?? 1);
    add(counts, 'success', latency);
    add(counts, 'compute_infer', timings.compute);
    add(counts, 'queue', timings.queued ?? 0);
    add(counts, 'compute_input', timings.input ?? 0);
    add(counts, 'compute_output', timings.output ?? 0);
  }

  failed(version: Version, latency: number): void {
    add(this.#of(version), 'fail', latency);
  }

  /** Of these versions, in their order. */
  of(versions: readonly Version[]): ModelStatistics[] {
    return versions.map(({ model, version }) => {
      const counts = this.#counts.get(keyOf({ model, version }))?.counts ?? none();
      return {
        name: model,
        version,
        last_inference: counts.lastInference,
        inference_count: counts.rows,
        execution_count: Math.round(counts.executions),
        inference_stats: {
          success: nanoseconds(counts, 'success'),
          fail: nanoseconds(counts, 'fail'),
          queue: nanoseconds(counts, 'queue'),
          compute_input: nanoseconds(counts, 'compute_input'),
          compute_infer: nanoseconds(counts, 'compute_infer'),
          compute_output: nanoseconds(counts, 'compute_output'),
        },
      };
    });
  }

  /** Of every version that was ever asked. */
  all(): Iterable<Version & { readonly counts: Counts }> {
    return this.#counts.values();
  }

  #of({ model, version }: Version): Counts {
    const key = keyOf({ model, version });
    const known = this.#counts.get(key);
    if (known !== undefined) return known.counts;
    const counts = none();
    this.#counts.set(key, { model, version, counts });
    return counts;
  }
}

function none(): Counts {
  const durations = {
    ...{ success: zero(), fail: zero(), queue: zero() },
    ...{ compute_input: zero(), compute_infer: zero(), compute_output: zero() },
  };
  return { lastInference: 0, rows: 0, executions: 0, durations };
}

function keyOf({ model, version }: Version): string {
  return `${model}/${version}`;
}

function add({ durations }: Counts, name: Durations, ms: number): void {
  durations[name].count += 1;
  durations[name].ms += ms;
}

function nanoseconds({ durations }: Counts, name: Durations): StatisticDuration {
  return { count: durations[name].count, ns: Math.round(durations[name].ms * 1e6) };
}

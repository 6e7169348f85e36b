import { Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Upper bounds in seconds, from a lookup to a training. */
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** A registry of its own, with the usual metrics of the process (memory, CPU, event loop, garbage collection). */
export function createMetricsRegistry(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return registry;
}

export interface DurationOptions<L extends string> {
  /** Ends in `_seconds`. */
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly L[];
  readonly buckets?: readonly number[];
}

/** Runs `work`, and observes how long it took and whether it failed (label `outcome`: `ok` or `error`). */
export type Timed<L extends string> = <T>(labels: Record<L, string>, work: () => Promise<T>) => Promise<T>;

/** A histogram of durations as a wrapper around what is timed. */
export function timedBy<L extends string>(registry: Registry, options: DurationOptions<L>): Timed<L> {
  const histogram = new Histogram<string>({
    name: options.name,
    help: options.help,
    labelNames: [...options.labelNames, 'outcome'],
    buckets: [...(options.buckets ?? DURATION_BUCKETS)],
    registers: [registry],
  });
  return async (labels, work) => {
    const stop = histogram.startTimer(labels);
    try {
      const result = await work();
      stop({ outcome: 'ok' });
      return result;
    } catch (error) {
      stop({ outcome: 'error' });
      throw error;
    }
  };
}

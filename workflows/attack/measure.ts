import type { AttackShard, AttackTarget, RunContext } from '../../contracts/activities.ts';
import type { Measurement } from '../../contracts/adversary.ts';
import type { Measured } from '../../contracts/attack-retest.ts';
import type { Activities } from '../shared/activities.ts';

/** Batches of an activity: long enough to be worth a child process, short enough that others get the device soon. */
const BATCHES_PER_SHARD = 2;

export interface MeasureOptions {
  readonly context: RunContext;
  readonly activities: Activities;
  readonly target: AttackTarget;
  readonly measurement: Measurement;
  /** Of the measurement. */
  readonly batches: number;
  /** What the Temporal UI shows beside each shard. */
  readonly title: string;
  /** Share of the shards that is done, 0…1. */
  readonly onShard?: (done: number) => void;
}

export interface Measurements {
  readonly configSha256: string;
  readonly measured: Measured;
  readonly shards: readonly AttackShard[];
}

/** Attacks a target in shards of whole batches, beside each other where there are devices, and adds them up. */
export async function measure(o: MeasureOptions): Promise<Measurements> {
  const { context, activities, target, measurement, title } = o;
  const parts = cut(o.batches);
  let done = 0;
  const shards = await Promise.all(
    parts.map(async (batches, shard) => {
      const summary = `${title}: shard ${shard + 1} of ${parts.length}`;
      const result = await activities
        .gpu(summary)
        .attackShard({ run: context, target, measurement, shard, shards: parts.length, batches });
      done += 1;
      o.onShard?.(done / parts.length);
      return result;
    }),
  );
  const summary = `${title}: metrics, and what the served graph says`;
  return { shards, ...(await activities.model(summary).summariseAttack({ target, measurement, shards })) };
}

/** At most as many samples as there are. */
export function fitting(measurement: Measurement, target: AttackTarget): Measurement {
  return { ...measurement, samples: Math.min(measurement.samples, target.samples) };
}

function cut(batches: number): number[][] {
  const all = Array.from({ length: batches }, (_, batch) => batch);
  const parts: number[][] = [];
  for (let begin = 0; begin < batches; begin += BATCHES_PER_SHARD) {
    parts.push(all.slice(begin, begin + BATCHES_PER_SHARD));
  }
  return parts;
}

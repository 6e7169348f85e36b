import type { Measurement } from '../../contracts/adversary.ts';
import type { AttackShard, AttackTarget, RunContext } from '../../contracts/activities.ts';
import type {
  AttackInput,
  AttackResult,
  AttackStage,
  HardenedVersion,
  Measured,
} from '../../contracts/attack-retest.ts';
import type { MetricInterval } from '../../contracts/train-register-deploy.ts';
import type { Activities } from '../shared/activities.ts';
import { failure } from '../shared/failures.ts';
import type { Run } from '../shared/run.ts';

/** What has been attacked so far, with the batches that the report takes its picture from. */
export interface AttackedVersion {
  readonly target: AttackTarget;
  readonly shards: readonly AttackShard[];
}

/** One run of `attackRetest`, with everything that its stages share. */
export interface Assault {
  readonly input: AttackInput;
  readonly context: RunContext;
  readonly run: Run<AttackStage>;
  readonly activities: Activities;
  /** As the input asks, or as the target allows. */
  measurement: Measurement;
  /** Of the workflow, milliseconds since the epoch. */
  readonly startedAt: number;
  readonly versions: AttackedVersion[];
  readonly hardened: HardenedVersion[];
  /** Why the goal was not reached, as far as is known. */
  readonly reasons: string[];
  readonly result: Omit<AttackResult, 'outcome' | 'reasons' | 'hardened'>;
}

/** Worst-case accuracy at an ε that was measured. */
export function worstIntervalAt({ worst }: Measured, epsilon: number): MetricInterval {
  const found = worst.find((entry) => entry.epsilon === epsilon);
  if (found === undefined) throw failure('ATTACK_INPUT_INVALID', `ε = ${epsilon} was not measured.`);
  return found.accuracy;
}

export function worstAt(measured: Measured, epsilon: number): number {
  return worstIntervalAt(measured, epsilon).value;
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

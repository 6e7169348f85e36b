import type { CpuActivities } from '../../contracts/activities.ts';
import { measureActivities } from './measure.ts';
import type { MeasureDependencies } from './measure.ts';
import { reportActivities } from './report.ts';
import type { ReportDependencies } from './report.ts';
import { targetActivities } from './target.ts';
import type { TargetDependencies } from './target.ts';

export { createAttackShardActivities } from './shard.ts';
export type { ShardDependencies } from './shard.ts';

export type AttackDependencies = TargetDependencies & MeasureDependencies & ReportDependencies;

type AttackActivities = Pick<
  CpuActivities,
  'resolveAttackTarget' | 'candidateTarget' | 'attackBaseline' | 'summariseAttack' | 'recordAttack' | 'reportAttack'
>;

/** Attacks, but for the gradients: those are the GPU pool's. */
export function createAttackActivities(dependencies: AttackDependencies): AttackActivities {
  return {
    ...targetActivities(dependencies),
    ...measureActivities(dependencies),
    ...reportActivities(dependencies),
  };
}

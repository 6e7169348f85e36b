import type { CpuActivities } from '../../contracts/activities.ts';
import { aliasActivities } from './aliases.ts';
import type { AliasDependencies } from './aliases.ts';
import { awaitServing } from './await-serving.ts';
import type { ServingDependencies } from './await-serving.ts';

export type RolloutDependencies = AliasDependencies & ServingDependencies;

type RolloutActivities = Pick<
  CpuActivities,
  'currentAlias' | 'previousChampion' | 'setAlias' | 'mirrorAliases' | 'awaitServing'
>;

/** Which version is live, and how that changes. */
export function createRolloutActivities(dependencies: RolloutDependencies): RolloutActivities {
  return {
    ...aliasActivities(dependencies),
    awaitServing: (question) => awaitServing(dependencies, question),
  };
}

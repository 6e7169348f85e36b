import { activityInfo, log } from '@temporalio/activity';
import type { CpuActivities } from '../../contracts/activities.ts';
import { mirrorAlias } from '../../lib/clients/index.ts';
import type { AliasLog, MlflowClient } from '../../lib/clients/index.ts';

export interface AliasDependencies {
  readonly aliases: Pick<AliasLog, 'append' | 'current' | 'previousChampion'>;
  readonly mlflow: MlflowClient;
}

const MIRRORED = ['challenger', 'champion'] as const;

/** How long a change of an alias waits for MLflow. What is served does not depend on it. */
const MIRROR_MS = 2000;

type AliasActivities = Pick<CpuActivities, 'currentAlias' | 'previousChampion' | 'setAlias' | 'mirrorAliases'>;

export function aliasActivities({ aliases, mlflow }: AliasDependencies): AliasActivities {
  return {
    async currentAlias({ model, alias }) {
      const live = await aliases.current(model, alias);
      return live === undefined ? undefined : { version: live.version };
    },

    previousChampion: ({ model }) => aliases.previousChampion(model),

    async setAlias({ run, model, alias, version, reason }) {
      const live = await aliases.current(model, alias);
      if (live?.version !== version) {
        const change = { model, alias, version, workflowId: run.key, actor: run.requestedBy, reason };
        await aliases.append({ ...change, operationId: operationId() });
      }
      try {
        await mirrorTruth(mlflow.with(AbortSignal.timeout(MIRROR_MS)), model, alias);
      } catch (error) {
        log.warn('MLflow does not show the new alias yet', { model, alias, error });
      }
    },

    async mirrorAliases({ model }) {
      for (const alias of MIRRORED) await mirrorTruth(mlflow, model, alias);
    },
  };

  /** Mirrors what the log says now, not what was asked for: a late attempt cannot bring an old state back. */
  async function mirrorTruth(client: MlflowClient, model: string, alias: string): Promise<void> {
    const live = await aliases.current(model, alias);
    const mirrored = await mirrorAlias(client, { model, alias, version: live?.version });
    if (!mirrored) log.warn('MLflow does not know this version', { model, alias, version: live?.version });
  }
}

/** The same for every attempt of one activity, and for no other activity. */
function operationId(): string {
  const { workflowExecution, activityId } = activityInfo();
  return `${workflowExecution?.workflowId}/${workflowExecution?.runId}/${activityId}`;
}

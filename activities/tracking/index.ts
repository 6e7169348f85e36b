import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { CpuActivities } from '../../contracts/activities.ts';
import { MLFLOW_TAGS, type MlflowClient } from '../../lib/clients/index.ts';
import { logImport } from './log-import.ts';
import { experimentName, logRun, type LogRunOptions } from './log-run.ts';

export interface TrackingDependencies extends Pick<LogRunOptions, 'mlflow' | 'store' | 'urls' | 'hold'> {
  /** Runs `work` while no other attempt does under this name: a search and what it did not find belong together. */
  readonly lock: <T>(name: string, work: () => Promise<T>) => Promise<T>;
}

/** Trainings in MLflow. */
export function createTrackingActivities(
  dependencies: TrackingDependencies,
): Pick<CpuActivities, 'logRun' | 'logImport' | 'finishRun' | 'finishUnloggedRun'> {
  const { store, urls, hold, lock } = dependencies;
  return {
    logRun(record) {
      const mlflow = dependencies.mlflow.with(cancellationSignal());
      return lock(`mlflow:run:${record.run.key}`, () =>
        logRun(record, { mlflow, store, urls, hold, onStep: heartbeat }),
      );
    },

    logImport(record) {
      const mlflow = dependencies.mlflow.with(cancellationSignal());
      return lock(`mlflow:run:${record.run.key}`, () =>
        logImport(record, { mlflow, store, urls, hold, onStep: heartbeat }),
      );
    },

    finishRun({ mlflow: { runId }, ...end }) {
      return finish(dependencies.mlflow.with(cancellationSignal()), runId, end);
    },

    async finishUnloggedRun({ run, dataset, registerAs, ...end }) {
      const mlflow = dependencies.mlflow.with(cancellationSignal());
      const experimentId = await mlflow.runs.experiment(experimentName({ dataset, registerAs }));
      const begun = await mlflow.runs.find(experimentId, { [MLFLOW_TAGS.runKey]: run.key });
      for (const { runId } of begun) await finish(mlflow, runId, end);
    },
  };
}

type End = Pick<Parameters<CpuActivities['finishRun']>[0], 'status' | 'outcome' | 'reasons'>;

async function finish(mlflow: MlflowClient, runId: string, { status, outcome, reasons }: End): Promise<void> {
  await mlflow.runs.setTags(runId, {
    [MLFLOW_TAGS.outcome]: outcome,
    ...(reasons.length === 0 ? {} : { [MLFLOW_TAGS.reasons]: reasons.join('\n') }),
  });
  await mlflow.runs.finish(runId, status);
}

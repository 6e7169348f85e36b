import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { CpuActivities } from '../../contracts/activities.ts';
import { MLFLOW_TAGS } from '../../lib/clients/index.ts';
import { logRun, type LogRunOptions } from './log-run.ts';

export interface TrackingDependencies extends Pick<LogRunOptions, 'mlflow' | 'store' | 'urls' | 'hold'> {
  /** Runs `work` while no other attempt does under this name: a search and what it did not find belong together. */
  readonly lock: <T>(name: string, work: () => Promise<T>) => Promise<T>;
}

/** Trainings in MLflow. */
export function createTrackingActivities(
  dependencies: TrackingDependencies,
): Pick<CpuActivities, 'logRun' | 'finishRun'> {
  const { store, urls, hold, lock } = dependencies;
  return {
    logRun(record) {
      const mlflow = dependencies.mlflow.with(cancellationSignal());
      return lock(`mlflow:run:${record.run.key}`, () =>
        logRun(record, { mlflow, store, urls, hold, onStep: heartbeat }),
      );
    },

    async finishRun({ mlflow: { runId }, status, outcome, reasons }) {
      const mlflow = dependencies.mlflow.with(cancellationSignal());
      await mlflow.runs.setTags(runId, {
        [MLFLOW_TAGS.outcome]: outcome,
        ...(reasons.length === 0 ? {} : { [MLFLOW_TAGS.reasons]: reasons.join('\n') }),
      });
      await mlflow.runs.finish(runId, status);
    },
  };
}

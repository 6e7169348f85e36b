import type { CpuActivities } from '../../contracts/activities.ts';
import { auditOutcome, bestEffort } from '../shared/outcome.ts';
import type { Conclusion } from '../shared/run.ts';
import type { Training } from './training.ts';

type RunStatus = Parameters<CpuActivities['finishRun']>[0]['status'];

/** A rejected run did its work to the end; MLflow knows no better word for it than finished. */
const STATUS: Readonly<Record<Conclusion['outcome'], RunStatus>> = {
  completed: 'FINISHED',
  rejected: 'FINISHED',
  cancelled: 'KILLED',
  failed: 'FAILED',
};

/** Tells MLflow and the audit log how the training ended. @returns what could not be told */
export async function closeTraining(training: Training, conclusion: Conclusion): Promise<string[]> {
  const { input, context, activities, result } = training;
  const { outcome, reasons } = conclusion;
  const { mlflow, registered } = result;
  const problems =
    mlflow === undefined
      ? []
      : await bestEffort('end of the MLflow run', () =>
          activities.records(`MLflow run: ${outcome}`).finishRun({ mlflow, status: STATUS[outcome], outcome, reasons }),
        );
  const subject = registered === undefined ? input.registerAs : `${registered.model}@${registered.version}`;
  const audit = { actor: input.requestedBy, action: 'workflow:train', subject, workflowId: context.key };
  return [...problems, ...(await auditOutcome(activities, conclusion, audit))];
}

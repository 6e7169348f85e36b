import { patched } from '@temporalio/workflow';
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
  const { registered } = result;
  const problems = await finishTracking(training, conclusion);
  const subject = registered === undefined ? input.registerAs : `${registered.model}@${registered.version}`;
  const audit = { actor: input.requestedBy, action: 'workflow:train', subject, workflowId: context.key };
  return [...problems, ...(await auditOutcome(activities, conclusion, audit))];
}

function finishTracking({ input, context, run, activities, result }: Training, end: Conclusion): Promise<string[]> {
  const { outcome, reasons } = end;
  const { mlflow } = result;
  const what = 'end of the MLflow run';
  if (mlflow !== undefined) {
    const finished = { mlflow, status: STATUS[outcome], outcome, reasons };
    return bestEffort(what, () => activities.records(`MLflow run: ${outcome}`).finishRun(finished));
  }
  if (!run.report.begun('logRun') || !patched('finish-unlogged-run')) return Promise.resolve([]);
  const { dataset, registerAs } = input;
  const status = outcome === 'cancelled' ? 'KILLED' : 'FAILED';
  const unlogged = { run: context, dataset, registerAs, status, outcome, reasons } as const;
  return bestEffort(what, () => activities.brief(`MLflow run: ${outcome}`).finishUnloggedRun(unlogged));
}

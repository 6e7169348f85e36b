import { patched } from '@temporalio/workflow';
import type { CpuActivities } from '../../contracts/activities.ts';
import { auditOutcome, bestEffort } from '../shared/outcome.ts';
import type { Conclusion } from '../shared/run.ts';
import type { Releasing } from './training.ts';

type RunStatus = Parameters<CpuActivities['finishRun']>[0]['status'];

/** A rejected run did its work to the end; MLflow knows no better word for it than finished. */
const STATUS: Readonly<Record<Conclusion['outcome'], RunStatus>> = {
  completed: 'FINISHED',
  rejected: 'FINISHED',
  cancelled: 'KILLED',
  failed: 'FAILED',
};

/** What ends: as the audit log names it, and the data set it is tracked under. */
export interface ClosedWork {
  readonly action: 'workflow:train' | 'workflow:import';
  readonly dataset: string;
}

/** Tells MLflow and the audit log how a training, or an import, ended. @returns what could not be told */
export async function closeTraining(
  releasing: Releasing,
  conclusion: Conclusion,
  { action, dataset }: ClosedWork,
): Promise<string[]> {
  const { input, context, activities, result } = releasing;
  const { registered } = result;
  const problems = await finishTracking(releasing, conclusion, dataset);
  const subject = registered === undefined ? input.registerAs : `${registered.model}@${registered.version}`;
  const audit = { actor: input.requestedBy, action, subject, workflowId: context.key };
  return [...problems, ...(await auditOutcome(activities, conclusion, audit))];
}

function finishTracking(
  { input, context, run, activities, result }: Releasing,
  end: Conclusion,
  dataset: string,
): Promise<string[]> {
  const { outcome, reasons } = end;
  const { mlflow } = result;
  const what = 'end of the MLflow run';
  if (mlflow !== undefined) {
    const finished = { mlflow, status: STATUS[outcome], outcome, reasons };
    return bestEffort(what, () => activities.records(`MLflow run: ${outcome}`).finishRun(finished));
  }
  if (!run.report.begun('logRun') || !patched('finish-unlogged-run')) return Promise.resolve([]);
  const { registerAs } = input;
  const status = outcome === 'cancelled' ? 'KILLED' : 'FAILED';
  const unlogged = { run: context, dataset, registerAs, status, outcome, reasons } as const;
  return bestEffort(what, () => activities.brief(`MLflow run: ${outcome}`).finishUnloggedRun(unlogged));
}

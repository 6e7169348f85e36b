import { heartbeat } from '@temporalio/activity';
import type { LoggedRun, SearchReportRequest } from '../../contracts/activities.ts';
import type { SearchSpent, TrialRecord } from '../../contracts/search.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import { MLFLOW_TAGS } from '../../lib/clients/index.ts';
import type { Metric, MlflowClient, MlflowRun } from '../../lib/clients/index.ts';
import type { HistoryPoint } from '../../lib/evaluation/index.ts';
import type { WrittenReport } from './report.ts';

export interface SearchDependencies {
  readonly store: ArtifactStore;
  readonly mlflow: MlflowClient;
  /** Base URL of MLflow's pages. */
  readonly urls: { readonly mlflow: string };
  /** Runs `work` while no other attempt does under this name. */
  readonly lock: <T>(name: string, work: () => Promise<T>) => Promise<T>;
}

const PARENT = 'mlflow.parentRunId';
type Status = Parameters<MlflowClient['runs']['finish']>[1];

/** A refused winner leaves a search that did its work to the end. */
const STATUS: Readonly<Record<string, Status>> = { failed: 'FAILED', cancelled: 'KILLED' };

/**
 * One run for the search with table and curves, below it one for each trial, and the winner's own training.
 * @throws MlflowError, ArtifactError
 */
export async function logSearch(
  request: SearchReportRequest,
  written: WrittenReport,
  { mlflow, store, urls }: SearchDependencies,
): Promise<LoggedRun> {
  const { run, search, trials, spent, outcome, trained } = request;
  const { train, budget, objective } = search;
  const parent = await mlflow.runs.ensure({
    experimentId: await mlflow.runs.experiment(`${train.dataset}/${train.registerAs}`),
    name: run.key,
    user: run.requestedBy,
    startTime: Math.round(Date.now() - 1000 * spent.wallSeconds),
    identity: { [MLFLOW_TAGS.runKey]: run.key },
  });
  await mlflow.runs.setTags(parent.runId, {
    'mlflow.source.name': `searchHyperparameters ${run.key}`,
    'mlflow.source.type': 'JOB',
    'mlflow.note.content': written.markdown,
    [MLFLOW_TAGS.workflowRunId]: run.runId,
    [MLFLOW_TAGS.outcome]: outcome,
    'saip.model': train.registerAs,
    'saip.dataset': train.dataset,
    'saip.search.winner': String(request.winner?.trial ?? ''),
  });
  await mlflow.runs.logParams(parent.runId, {
    objective,
    seed: String(train.seed),
    ...Object.fromEntries(Object.entries(budget).map(([name, value]) => [`budget.${name}`, String(value)])),
    ...Object.fromEntries(Object.entries(search.space).map(([path, range]) => [path, JSON.stringify(range)])),
  });
  await mlflow.runs.logMetrics(parent.runId, spentMetrics(spent, parent.startTime));
  for (const trial of trials) {
    heartbeat(`trial ${trial.trial}`);
    await logTrial({ request, parent, trial, history: written.histories.get(trial.trial) ?? [], mlflow });
  }
  if (trained !== undefined) await mlflow.runs.setTags(trained.runId, { [PARENT]: parent.runId });
  for (const [path, ref] of Object.entries(written.files)) {
    await mlflow.artifacts.uploadFile(parent.artifactUri, path, { ...ref, path: await store.path(ref) });
  }
  await mlflow.runs.finish(parent.runId, STATUS[outcome] ?? 'FINISHED');
  return { experimentId: parent.experimentId, runId: parent.runId, url: runUrl(parent, urls.mlflow) };
}

async function logTrial(a: {
  readonly request: SearchReportRequest;
  readonly parent: MlflowRun;
  readonly trial: TrialRecord;
  readonly history: readonly HistoryPoint[];
  readonly mlflow: MlflowClient;
}): Promise<void> {
  const { request, parent, trial, history, mlflow } = a;
  const { run, search } = request;
  const name = `${run.key}-trial-${trial.trial}`;
  const logged = await mlflow.runs.ensure({
    experimentId: parent.experimentId,
    name: `trial ${trial.trial}`,
    user: run.requestedBy,
    startTime: parent.startTime,
    // The key of the trial itself is that of the winner's own training.
    identity: { [MLFLOW_TAGS.runKey]: `${name}/rungs` },
    tags: { [PARENT]: parent.runId },
  });
  await mlflow.runs.setTags(logged.runId, {
    'mlflow.source.name': `runTrial ${name}`,
    'mlflow.source.type': 'JOB',
    'saip.model': search.train.registerAs,
    'saip.dataset': search.train.dataset,
    'saip.trial': String(trial.trial),
    'saip.trial.state': trial.state,
    ...(trial.reason !== undefined && { [MLFLOW_TAGS.reasons]: trial.reason }),
  });
  const values = Object.entries(trial.values).map(([path, value]) => [path, String(value)]);
  await mlflow.runs.logParams(logged.runId, Object.fromEntries(values) as Record<string, string>);
  await mlflow.runs.logMetrics(logged.runId, trialMetrics(history, logged.startTime));
  await mlflow.runs.finish(logged.runId, trial.state === 'failed' ? 'FAILED' : 'FINISHED');
}

/** Against the epoch, so that trials of different batch sizes can be compared; a retry logs the same points. */
function trialMetrics(history: readonly HistoryPoint[], startedAt: number): Metric[] {
  return history.flatMap(({ epoch, loss, valLoss, valAccuracy, valRmse, valR2 }) => {
    if (valLoss === undefined) return [];
    const measured = {
      'validation/loss': valLoss,
      'validation/accuracy': valAccuracy,
      'validation/rmse': valRmse,
      'validation/r2': valR2,
      'train/loss': loss,
    };
    return Object.entries(measured).flatMap(([key, value]) =>
      value === undefined ? [] : [{ key, value, step: epoch, timestamp: startedAt + epoch }],
    );
  });
}

function spentMetrics({ trials, epochs, trainingSeconds, wallSeconds }: SearchSpent, timestamp: number): Metric[] {
  const spent = { trials, epochs, training_seconds: trainingSeconds, wall_seconds: wallSeconds };
  return Object.entries(spent).map(([name, value]) => ({ key: `search/${name}`, value, step: 0, timestamp }));
}

function runUrl({ experimentId, runId }: MlflowRun, base: string): string {
  return `${base}/#/experiments/${encodeURIComponent(experimentId)}/runs/${encodeURIComponent(runId)}`;
}

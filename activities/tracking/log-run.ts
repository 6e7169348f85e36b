import type { LoggedRun } from '../../contracts/activities.ts';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import { MLFLOW_TAGS, type MlflowClient, type MlflowRun } from '../../lib/clients/index.ts';
import { datasetInputs, datasetKey, heldDigests } from './datasets.ts';
import { filesOf, uploadFiles } from './files.ts';
import { logModel } from './logged-model.ts';
import { evaluationMetrics, trainingMetrics } from './metrics.ts';
import { noteOf, parametersOf, tagsOf, type RunRecord } from './parameters.ts';

export interface LogRunOptions {
  readonly mlflow: MlflowClient;
  readonly store: ArtifactStore;
  /** Base URLs of the pages that the run links to, and that link to it. */
  readonly urls: { readonly mlflow: string; readonly temporalUi: string; readonly namespace: string };
  /** Notes that MLflow names these artifacts of the store. */
  readonly hold: (digests: readonly string[], holder: string) => Promise<void>;
  /** Called at each step. */
  readonly onStep: (step: string) => void;
}

/**
 * Writes a finished training to MLflow. Each write finds what an earlier attempt left, wherever that one stopped: one
 * run, one logged model, each point of a metric once.
 * @throws MlflowError, ArtifactError
 */
export async function logRun(record: RunRecord, options: LogRunOptions): Promise<LoggedRun> {
  const { mlflow, store, onStep } = options;
  const manifest = await store.readJson(record.data.manifest, PreparedManifest);
  onStep('run');
  const run = await ensureRun(record, mlflow);
  await mlflow.runs.logParams(run.runId, parametersOf(record));
  await mlflow.runs.setTags(run.runId, {
    ...tagsOf(record),
    'mlflow.note.content': noteOf(record, workflowUrl(record, options.urls)),
  });
  // Before MLflow hears of them: it may name what a collection was about to free.
  await options.hold(heldDigests(record, manifest), `mlflow:${run.runId}`);
  await mlflow.runs.logInputs(run.runId, datasetInputs(record, manifest));
  onStep('metrics');
  const history = (await store.read(record.trained.history)).toString('utf8');
  await mlflow.runs.logMetrics(run.runId, trainingMetrics(history, record.trained, run.startTime));
  const files = await filesOf(record, store);
  await uploadFiles({ mlflow, store, artifactUri: run.artifactUri, files, onFile: onStep });
  onStep('model');
  await logEvaluatedModel({ record, run, manifest, mlflow, store });
  return { experimentId: run.experimentId, runId: run.runId, url: runUrl(run, options.urls.mlflow) };
}

/** MLflow experiment of a model's runs. */
export function experimentName({ dataset, registerAs }: Pick<RunRecord, 'dataset' | 'registerAs'>): string {
  return `${dataset}/${registerAs}`;
}

async function ensureRun({ run, registerAs, dataset, trained }: RunRecord, mlflow: MlflowClient): Promise<MlflowRun> {
  return mlflow.runs.ensure({
    experimentId: await mlflow.runs.experiment(experimentName({ dataset, registerAs })),
    name: run.key,
    user: run.requestedBy,
    startTime: Math.round(Date.now() - 1000 * trained.seconds),
    identity: { [MLFLOW_TAGS.runKey]: run.key },
  });
}

async function logEvaluatedModel(a: {
  readonly record: RunRecord;
  readonly run: MlflowRun;
  readonly manifest: PreparedManifest;
  readonly mlflow: MlflowClient;
  readonly store: ArtifactStore;
}): Promise<void> {
  const { record, run, manifest, mlflow } = a;
  const parameters = parametersOf(record);
  const { modelId } = await logModel({ ...a, parameters, step: record.trained.steps });
  const { name: datasetName, digest: datasetDigest } = datasetKey(manifest, 'test');
  const timestamp = Math.round(run.startTime + 1000 * record.trained.seconds);
  const on = { step: record.trained.steps, timestamp, modelId, datasetName, datasetDigest };
  await mlflow.runs.logMetrics(run.runId, evaluationMetrics(record.evaluated, on));
}

export function runUrl({ experimentId, runId }: MlflowRun, base: string): string {
  return `${base}/#/experiments/${encodeURIComponent(experimentId)}/runs/${encodeURIComponent(runId)}`;
}

export function workflowUrl({ run }: Pick<RunRecord, 'run'>, { temporalUi, namespace }: LogRunOptions['urls']): string {
  const parts = ['namespaces', namespace, 'workflows', run.key, run.runId].map(encodeURIComponent);
  return [temporalUi, ...parts].join('/');
}

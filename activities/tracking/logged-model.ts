import { regressionOf } from '../../contracts/prepared-data.ts';
import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import { MODEL_FILES } from '../../contracts/registry.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import {
  MLFLOW_TAGS,
  mlmodelFile,
  type LoggedModel,
  type MlflowClient,
  type MlflowRun,
  type Tags,
  type TensorSpec,
} from '../../lib/clients/index.ts';
import { OUTPUTS } from '../../lib/onnx/index.ts';
import { uploadFiles } from './files.ts';
import type { RunRecord } from './parameters.ts';

export interface LoggedModelOptions {
  readonly mlflow: MlflowClient;
  readonly store: Pick<ArtifactStore, 'path'>;
  readonly record: Pick<RunRecord, 'run' | 'registerAs' | 'exported'>;
  /** Of the run. */
  readonly parameters: Tags;
  /** Of the training, at its end. */
  readonly step: number;
  readonly run: MlflowRun;
  readonly manifest: PreparedManifest;
}

/**
 * The ONNX graph as a logged model of MLflow 3, with its signature: what the registered version will point to.
 * @throws MlflowError, ArtifactError
 */
export async function logModel(options: LoggedModelOptions): Promise<LoggedModel> {
  const { mlflow, store, record, parameters, step, run, manifest } = options;
  const { registerAs, exported } = record;
  const model = await mlflow.loggedModels.ensure({
    experimentId: run.experimentId,
    // A logged model's name must not have dots.
    name: registerAs.replaceAll('.', '_'),
    type: 'onnx',
    sourceRunId: run.runId,
    identity: { [MLFLOW_TAGS.runKey]: record.run.key },
    tags: { 'saip.onnx.sha256': exported.onnx.sha256 },
    params: parameters,
  });
  const files = { [MODEL_FILES.onnx]: exported.onnx };
  await uploadFiles({ mlflow, store, artifactUri: model.artifactUri, files });
  await mlflow.artifacts.upload(model.artifactUri, 'MLmodel', new Blob([mlmodel(model, run, manifest)]));
  await mlflow.loggedModels.ready(model.modelId);
  await mlflow.runs.logOutput(run.runId, model.modelId, step);
  return model;
}

/**
 * The graph takes raw values and preprocesses them itself: one tensor as float32, whatever the data set stores, or of a
 * table one input a column.
 */
function mlmodel(model: LoggedModel, run: MlflowRun, manifest: PreparedManifest): string {
  return mlmodelFile({
    modelId: model.modelId,
    runId: run.runId,
    data: MODEL_FILES.onnx,
    inputs: inputsOf(manifest),
    outputs: outputsOf(manifest),
    createdAt: model.createdAt,
  });
}

function inputsOf(manifest: PreparedManifest): TensorSpec[] {
  const { input } = manifest;
  if (manifest.version === 1) return [{ name: input.name, dtype: 'float32', shape: [-1, ...input.shape] }];
  return manifest.columns.map(({ name, kind }) => ({
    name,
    dtype: kind === 'numeric' ? 'float32' : 'str',
    shape: [-1, 1],
  }));
}

function outputsOf(manifest: PreparedManifest): TensorSpec[] {
  if (regressionOf(manifest) !== undefined) return [{ name: OUTPUTS.prediction, dtype: 'float32', shape: [-1, 1] }];
  return [
    { name: OUTPUTS.probabilities, dtype: 'float32', shape: [-1, manifest.labels.length] },
    { name: OUTPUTS.label, dtype: 'int64', shape: [-1] },
  ];
}

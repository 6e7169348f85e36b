import { MIRROR_FOLDER, type ModelVersion } from '../../contracts/registry.ts';
import { MLFLOW_TAGS, type MlflowClient } from '../../lib/clients/index.ts';
import { ApiError } from '../errors.ts';
import type { RemoteFiles } from './model-source.ts';

/** Signed model folders as the activity `mirrorVersion` leaves them in MLflow, beside the run's logged model. */
export class MlflowFiles implements RemoteFiles {
  readonly #mlflow: Pick<MlflowClient, 'artifacts' | 'loggedModels' | 'runs'>;

  constructor(mlflow: Pick<MlflowClient, 'artifacts' | 'loggedModels' | 'runs'>) {
    this.#mlflow = mlflow;
  }

  async fetch({ mlflowRunId, workflowId }: ModelVersion, path: string): Promise<Uint8Array> {
    const { experimentId } = await this.#mlflow.runs.get(mlflowRunId);
    const [model] = await this.#mlflow.loggedModels.find(experimentId, { [MLFLOW_TAGS.runKey]: workflowId });
    const bytes = model && (await this.#mlflow.artifacts.download(model.artifactUri, `${MIRROR_FOLDER}/${path}`));
    if (bytes) return bytes;
    throw new ApiError('ARTIFACT_NOT_FOUND', `Neither this machine nor MLflow has ${path}.`, { field: path });
  }
}

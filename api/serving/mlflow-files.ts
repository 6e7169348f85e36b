import type { ModelVersion } from '../../contracts/registry.ts';
import type { MlflowClient } from '../../lib/clients/index.ts';
import { ApiError } from '../errors.ts';
import type { RemoteFiles } from './model-source.ts';

/** Model folders as `registerVersion` leaves them in MLflow: files of the run below `model/`. */
export class MlflowFiles implements RemoteFiles {
  readonly #mlflow: Pick<MlflowClient, 'artifacts' | 'runs'>;

  constructor(mlflow: Pick<MlflowClient, 'artifacts' | 'runs'>) {
    this.#mlflow = mlflow;
  }

  async fetch(version: ModelVersion, path: string): Promise<Uint8Array> {
    const run = await this.#mlflow.runs.get(version.mlflowRunId);
    const bytes = await this.#mlflow.artifacts.download(run.artifactUri, `model/${path}`);
    if (bytes) return bytes;
    throw new ApiError('MODEL_LOAD_FAILED', `Neither this machine nor MLflow has ${path}.`, { field: path });
  }
}

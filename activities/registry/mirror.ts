import type { LoggedRun } from '../../contracts/activities.ts';
import { MIRROR_FOLDER, SIGNATURE_FILE } from '../../contracts/registry.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import {
  MLFLOW_TAGS,
  MlflowError,
  type MlflowClient,
  type StoredVersion,
  type Withdrawal,
} from '../../lib/clients/index.ts';

type MirroredVersion = Pick<StoredVersion, 'model' | 'version' | 'digest' | 'files' | 'signature' | 'workflowId'>;

interface Mirrored {
  readonly stored: MirroredVersion;
  readonly logged: LoggedRun;
  readonly store: Pick<ArtifactStore, 'path'>;
}

/**
 * Registers the run's logged model in MLflow under the platform's version, with the signed folder beside it: an API on
 * a machine that does not have the files gets them from there.
 * @throws MlflowError, ArtifactError
 */
export async function mirrorVersion(mlflow: MlflowClient, { stored, logged, store }: Mirrored): Promise<void> {
  const { model: name, version, digest, signature, workflowId } = stored;
  const [model] = await mlflow.loggedModels.find(logged.experimentId, { [MLFLOW_TAGS.runKey]: workflowId });
  if (model === undefined) {
    throw new MlflowError('MLFLOW_REJECTED', `MLflow has no model of the run ${logged.runId}.`, { field: 'mlflow' });
  }
  for (const [path, ref] of Object.entries({ ...stored.files, [SIGNATURE_FILE]: signature })) {
    const file = { ...ref, path: await store.path(ref) };
    await mlflow.artifacts.uploadFile(model.artifactUri, `${MIRROR_FOLDER}/${path}`, file);
  }
  await mlflow.registeredModels.ensureModel(
    name,
    'Served by alias. The alias log of the platform is the truth; this is its mirror.',
  );
  await mlflow.registeredModels.ensureVersion({
    name,
    source: `models:/${model.modelId}`,
    runId: logged.runId,
    modelId: model.modelId,
    description: `Version ${version} of ${name}, signed as ${digest}.`,
    identity: { [MLFLOW_TAGS.version]: version },
    tags: {
      [MLFLOW_TAGS.runKey]: workflowId,
      [MLFLOW_TAGS.digest]: digest,
      [MLFLOW_TAGS.signature]: signature.sha256,
    },
  });
}

/** Marks the version in MLflow, and takes its aliases away. @throws MlflowError */
export async function mirrorWithdrawal(mlflow: MlflowClient, { model, version, reason }: Withdrawal): Promise<void> {
  const [mirrored] = await mlflow.registeredModels.find(model, { [MLFLOW_TAGS.version]: version });
  // The registration may have failed before MLflow heard of it.
  if (mirrored === undefined) return;
  await mlflow.registeredModels.setVersionTag(model, mirrored.version, MLFLOW_TAGS.withdrawn, reason);
  for (const [alias, held] of Object.entries(await mlflow.registeredModels.aliases(model))) {
    if (held === mirrored.version) await mlflow.registeredModels.deleteAlias(model, alias);
  }
}

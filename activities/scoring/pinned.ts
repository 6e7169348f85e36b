import type { PinnedModel, ScoreInput } from '../../contracts/batch-score.ts';
import { SaipError } from '../../contracts/errors.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { MODEL_FILES, ModelFacts, type TableFacts } from '../../contracts/registry.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import type { AliasLog, ModelRegistry, ServingSwitches } from '../../lib/clients/index.ts';
import { verifyModel } from '../../lib/supplychain/index.ts';

export interface PinDependencies {
  readonly store: ArtifactStore;
  readonly registry: Pick<ModelRegistry, 'get' | 'model'>;
  readonly aliases: Pick<AliasLog, 'current'>;
  readonly switches: Pick<ServingSwitches, 'current'>;
  /** PEM keys that model signatures are trusted by. */
  readonly publicKeys: () => Promise<readonly string[]>;
}

/** The version that the alias means now. @throws MODEL_UNKNOWN, ALIAS_UNKNOWN */
export async function pinned(
  { aliases, registry }: PinDependencies,
  { model, alias }: Pick<ScoreInput, 'model' | 'alias'>,
): Promise<PinnedModel> {
  const live = await aliases.current(model, alias);
  if (live !== undefined) return { model, version: live.version, digest: live.digest };
  await registry.model(model);
  throw new SaipError('ALIAS_UNKNOWN', `${model} has no alias ${alias}.`, { field: 'alias' });
}

/**
 * What a pinned version scores with. Looked at anew by every shard: a version that was withdrawn, a model that was taken
 * out of service, or a signature that does not hold any more ends the run.
 *
 * @throws MODEL_VERSION_WITHDRAWN, MODEL_UNLOADED, SIGNATURE_MISSING, SIGNATURE_INVALID, ARTIFACT_DIGEST_MISMATCH;
 * TENSOR_INVALID for a model that takes no named features
 */
export async function pinnedFiles(
  { registry, store, switches, publicKeys }: PinDependencies,
  { model, version, digest }: PinnedModel,
): Promise<{ readonly onnx: ArtifactRef; readonly facts: TableFacts }> {
  const registered = await registry.get(model, version);
  if (registered.withdrawn !== undefined) {
    throw new SaipError('MODEL_VERSION_WITHDRAWN', `Version ${version} of ${model} was withdrawn.`, { field: 'model' });
  }
  if ((await switches.current()).some((one) => one.model === model && !one.load)) {
    throw new SaipError('MODEL_UNLOADED', `${model} was taken out of service.`, { field: 'model' });
  }
  const { files, signature } = registered;
  const signed = verifyModel({
    files: Object.fromEntries(Object.entries(files).map(([path, { sha256 }]) => [path, sha256])),
    bundle: await store.read(signature),
    publicKeys: await publicKeys(),
    name: model,
  });
  if (signed.digest !== digest || registered.digest !== digest) {
    throw new SaipError('SIGNATURE_INVALID', 'The signed digest is not the one that was pinned.', { field: 'model' });
  }
  const { [MODEL_FILES.onnx]: onnx, [MODEL_FILES.facts]: described } = files;
  const facts = described && (await store.readJson(described, ModelFacts));
  if (onnx !== undefined && facts?.version === 2) return { onnx, facts };
  throw new SaipError('TENSOR_INVALID', `${model} takes no named features, so no file of records.`, { field: 'model' });
}

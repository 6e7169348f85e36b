import type { ReleaseActivities } from '../../contracts/activities.ts';
import type { ImportFacts } from '../../contracts/import-model.ts';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { MODEL_FILES, ModelFacts } from '../../contracts/registry.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import { BUNDLE_MEDIA_TYPE, signModel, verifyModel, type StatementSigner } from '../../lib/supplychain/index.ts';

export interface SigningDependencies {
  readonly store: ArtifactStore;
  readonly signer: StatementSigner;
  /** PEM keys that the verifiers of the platform trust. */
  readonly publicKeys: () => Promise<readonly string[]>;
}

type SigningInput = Parameters<ReleaseActivities['signModel']>[0];

/** Activities of the release pool, the only one whose login may sign models. */
export function createSigningActivities(dependencies: SigningDependencies): Pick<ReleaseActivities, 'signModel'> {
  const { store, signer, publicKeys } = dependencies;
  return {
    /**
     * Assembles the model folder, signs it and verifies the signature as a consumer would. A repetition gives the same
     * digest; the signature itself may differ, because ECDSA is randomised.
     */
    async signModel(input) {
      const files = await assembleFolder(store, input);
      const digests = Object.fromEntries(Object.entries(files).map(([path, { sha256 }]) => [path, sha256]));
      const { digest, bundle } = await signModel({ name: input.registerAs, files: digests, signer });
      verifyModel({ files: digests, bundle, publicKeys: await publicKeys(), name: input.registerAs });
      const signature = await store.put(Buffer.from(bundle), { mediaType: BUNDLE_MEDIA_TYPE });
      return { digest, files, signature };
    },
  };
}

/** Every artifact is read and compared with its digest first: what is not there or not whole is not signed. */
async function assembleFolder(store: ArtifactStore, input: SigningInput): Promise<Record<string, ArtifactRef>> {
  const { exported, card, model } = input;
  const origin = isImport(model) ? [model.original] : [];
  await Promise.all([exported.onnx, card, ...origin].map((ref) => store.path(ref)));
  const manifest = await store.readJson(input.data.manifest, PreparedManifest);
  return {
    [MODEL_FILES.onnx]: exported.onnx,
    [MODEL_FILES.card]: card,
    [isImport(model) ? MODEL_FILES.import : MODEL_FILES.config]: await store.putJson(model),
    [MODEL_FILES.facts]: await store.putJson(factsOf(input, manifest)),
  };
}

function isImport(model: SigningInput['model']): model is ImportFacts {
  return 'original' in model;
}

function factsOf({ registerAs, data, evaluated, exported }: SigningInput, manifest: PreparedManifest): ModelFacts {
  return ModelFacts.parse({
    model: registerAs,
    dataset: manifest.dataset,
    cardSha256: data.cardSha256,
    dataSha256: data.dataSha256,
    labels: manifest.labels,
    evaluation: evaluated.summary,
    export: { maxAbsDifference: exported.maxAbsDifference, samples: exported.samples },
    ...inputFacts(manifest),
  });
}

function inputFacts(manifest: PreparedManifest): object {
  if (manifest.version === 1) {
    const { name, shape, dtype } = manifest.input;
    return {
      version: 1,
      input: { name, shape, ...(dtype === 'uint8' && { range: [0, 255] }), ...statistics(manifest) },
    };
  }
  const { columns, missing, regression } = manifest;
  const target = regression && { name: regression.name, ...(regression.unit && { unit: regression.unit }) };
  return { version: 2, columns, missing, ...(target && { target }) };
}

/** Of the numbers of all channels together: each of the channels has as many. */
function statistics({ preprocessing: { scale, offset } }: PreparedManifest): object {
  const channels = scale.map((factor, index) => ({ mean: -(offset[index] ?? 0) / factor, deviation: 1 / factor }));
  const mean = channels.reduce((sum, channel) => sum + channel.mean, 0) / channels.length;
  const squares = channels.reduce((sum, channel) => sum + channel.deviation ** 2 + channel.mean ** 2, 0);
  const deviation = Math.sqrt(squares / channels.length - mean ** 2);
  return Number.isFinite(mean) && deviation > 0 ? { statistics: { mean, deviation } } : {};
}

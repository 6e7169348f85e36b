import type { AttackTarget, CpuActivities } from '../../contracts/activities.ts';
import { SaipError } from '../../contracts/errors.ts';
import { ModelConfig } from '../../contracts/model-config.ts';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { MODEL_FILES, ModelFacts } from '../../contracts/registry.ts';
import { rangeOf } from '../../lib/adversary/index.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import type { AliasLog, ModelRegistry, StoredVersion } from '../../lib/clients/index.ts';
import { DatasetError, prepare } from '../../lib/datasets/index.ts';
import { importNetwork } from '../../lib/onnx/index.ts';
import { verifyModel } from '../../lib/supplychain/index.ts';

export interface TargetDependencies {
  readonly store: ArtifactStore;
  readonly registry: Pick<ModelRegistry, 'get' | 'model'>;
  readonly aliases: Pick<AliasLog, 'current'>;
  /** PEM keys that model signatures are trusted by. */
  readonly publicKeys: () => Promise<readonly string[]>;
  /** Folders of data files by data set; default: where their packages are installed. */
  readonly dataRoots?: Readonly<Record<string, string>>;
}

/** Split of the platform's trainings, so that what it writes is mostly there; only the test set is used. */
const SPLIT = { seed: 42, validationShare: 0.1 } as const;

type TargetActivities = Pick<CpuActivities, 'resolveAttackTarget' | 'candidateTarget'>;

export function targetActivities(dependencies: TargetDependencies): TargetActivities {
  const { store, dataRoots = {} } = dependencies;
  return {
    /** @throws MODEL_UNKNOWN, MODEL_VERSION_UNKNOWN, MODEL_VERSION_WITHDRAWN, ALIAS_UNKNOWN, SIGNATURE_INVALID, … */
    async resolveAttackTarget({ model, version }) {
      const registered = await findVersion(dependencies, model, version);
      await verifySignature(dependencies, registered);
      const files = modelFiles(registered);
      const facts = await store.readJson(files.facts, ModelFacts);
      if (facts.version === 2) {
        throw new SaipError(
          'ATTACK_UNSUPPORTED',
          `${facts.dataset} is a table: its columns have no range to attack in.`,
          {
            field: 'model',
          },
        );
      }
      const data = await prepare({ dataset: facts.dataset, ...SPLIT, store, root: dataRoots[facts.dataset] });
      if (data.dataSha256 !== facts.dataSha256) {
        throw new DatasetError('DATASET_DIGEST_MISMATCH', `${facts.dataset} is not the data of version ${version}`, {
          field: 'dataset',
        });
      }
      return takeApart(store, {
        model,
        version: registered.version,
        digest: registered.digest,
        ...(files.config && { network: await store.readJson(files.config, ModelConfig) }),
        onnx: files.onnx,
        manifest: data.manifest,
        mlflowRunId: registered.mlflowRunId,
      });
    },

    async candidateTarget({ registerAs, model, data, exported }) {
      return takeApart(store, {
        model: registerAs,
        digest: exported.onnx.sha256,
        network: model,
        onnx: exported.onnx,
        manifest: await store.readJson(data.manifest, PreparedManifest),
      });
    },
  };
}

async function findVersion(
  { registry, aliases }: TargetDependencies,
  model: string,
  version: string | undefined,
): Promise<StoredVersion> {
  const wanted = version ?? (await aliases.current(model, 'champion'))?.version;
  if (wanted === undefined) {
    await registry.model(model);
    throw new SaipError('ALIAS_UNKNOWN', `${model} has no champion; name a version.`, { field: 'version' });
  }
  const registered = await registry.get(model, wanted);
  if (registered.withdrawn === undefined) return registered;
  throw new SaipError('MODEL_VERSION_WITHDRAWN', `Version ${wanted} of ${model} was withdrawn.`, { field: 'version' });
}

async function verifySignature(
  { store, publicKeys }: TargetDependencies,
  { model, files, signature }: StoredVersion,
): Promise<void> {
  const digests = Object.fromEntries(Object.entries(files).map(([path, { sha256 }]) => [path, sha256]));
  verifyModel({ files: digests, bundle: await store.read(signature), publicKeys: await publicKeys(), name: model });
}

function modelFiles({ model, version, files }: StoredVersion): {
  readonly onnx: ArtifactRef;
  readonly facts: ArtifactRef;
  /** Absent for a model from elsewhere. */
  readonly config: ArtifactRef | undefined;
} {
  const { [MODEL_FILES.onnx]: onnx, [MODEL_FILES.config]: config, [MODEL_FILES.facts]: facts } = files;
  if (onnx && facts && (config ?? files[MODEL_FILES.import])) return { onnx, config, facts };
  throw new SaipError('ATTACK_UNSUPPORTED', `The folder of ${model} version ${version} holds no network to attack.`);
}

interface Parts extends Omit<AttackTarget, 'weights' | 'manifest' | 'dataset' | 'samples'> {
  readonly manifest: PreparedManifest;
}

async function takeApart(store: ArtifactStore, { manifest, ...parts }: Parts): Promise<AttackTarget> {
  rangeOf(manifest.input.dtype);
  const common = { dataset: manifest.dataset, samples: manifest.splits.test.count };
  if (parts.network === undefined) return { ...parts, ...common, manifest: await store.putJson(manifest) };
  const { weights, preprocessing } = importNetwork({
    onnx: await store.read(parts.onnx),
    model: parts.network,
    shape: manifest.input.shape,
    classes: manifest.labels.length,
  });
  return {
    ...parts,
    weights: await store.put(weights, { mediaType: 'application/vnd.safetensors' }),
    manifest: await store.putJson({ ...manifest, preprocessing } satisfies PreparedManifest),
    ...common,
  };
}

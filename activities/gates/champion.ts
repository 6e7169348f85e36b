import type { CpuActivities } from '../../contracts/activities.ts';
import { isSaipError } from '../../contracts/errors.ts';
import { PreparedManifest, regressionOf } from '../../contracts/prepared-data.ts';
import { MODEL_FILES, ModelFacts } from '../../contracts/registry.ts';
import type { ModelVersion } from '../../contracts/registry.ts';
import type { GateResult } from '../../contracts/train-register-deploy.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import type { AliasLog, ModelRegistry } from '../../lib/clients/index.ts';
import { readFloat32, readInt32 } from '../../lib/datasets/index.ts';
import { argmax, championGate, quantityGate } from '../../lib/evaluation/index.ts';
import { runOnnx } from '../../lib/onnx/index.ts';
import type { OnnxProgress } from '../../lib/onnx/index.ts';
import { verifyModel } from '../../lib/supplychain/index.ts';

export interface ChampionDependencies {
  readonly store: ArtifactStore;
  readonly registry: Pick<ModelRegistry, 'get'>;
  readonly aliases: Pick<AliasLog, 'current'>;
  /** PEM keys that model signatures are trusted by. */
  readonly publicKeys: () => Promise<readonly string[]>;
}

type Candidate = Pick<Parameters<CpuActivities['decideGates']>[0], 'registerAs' | 'data' | 'evaluated' | 'exported'>;

interface RunOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: OnnxProgress) => void;
}

/** What makes a champion impossible to compare with: a reason to refuse, not a failure of the stage. */
const INCOMPARABLE = new Set([
  'ARTIFACT_NOT_FOUND',
  'ARTIFACT_DIGEST_MISMATCH',
  'SIGNATURE_MISSING',
  'SIGNATURE_INVALID',
  'MODEL_LOAD_FAILED',
  'TENSOR_INVALID',
]);

/**
 * Compares the candidate with the present champion on the candidate's test set. The champion's own graph predicts it
 * anew, after its signature was verified: stored predictions would be of another test set or by other bytes than are
 * served.
 */
export async function compareWithChampion(
  candidate: Candidate,
  dependencies: ChampionDependencies,
  options: RunOptions,
): Promise<GateResult> {
  const current = await dependencies.aliases.current(candidate.registerAs, 'champion');
  if (current === undefined) return { name: 'champion', passed: true, reason: 'there is no champion to compare with' };
  try {
    const champion = await dependencies.registry.get(candidate.registerAs, current.version);
    return await compare(candidate, champion, dependencies, options);
  } catch (error) {
    if (!isSaipError(error) || !INCOMPARABLE.has(error.code)) throw error;
    return incomparable(current.version, error.message);
  }
}

async function compare(
  { data, evaluated, exported }: Candidate,
  champion: ModelVersion,
  dependencies: ChampionDependencies,
  options: RunOptions,
): Promise<GateResult> {
  const { store } = dependencies;
  const { version, files } = champion;
  await verifySignature(champion, dependencies);
  const { [MODEL_FILES.onnx]: onnx, [MODEL_FILES.facts]: facts } = files;
  if (onnx === undefined || facts === undefined) return incomparable(version, 'its folder holds no graph or no facts');
  const manifest = await store.readJson(data.manifest, PreparedManifest);
  const { labels, ...rest } = await store.readJson(facts, ModelFacts);
  if (labels.join('\0') !== manifest.labels.join('\0')) {
    return incomparable(version, labels.length === 0 ? 'it has no classes' : `it tells apart ${labels.join(', ')}`);
  }
  // Whatever the test set: the same bytes predict the same.
  if (onnx.sha256 === exported.onnx.sha256) {
    await store.path(onnx);
    return { name: 'champion', passed: true, reason: `it is the graph of version ${version}, bit for bit` };
  }
  const regression = regressionOf(manifest);
  const target = rest.version === 2 ? rest.target : undefined;
  if (target?.name !== regression?.name) return incomparable(version, `it predicts ${target?.name ?? 'classes'}`);
  const predictions = await runOnnx({ onnx, manifest, store, ...options });
  if (regression !== undefined) {
    return quantityGate({
      version,
      truths: await readFloat32(await store.path(manifest.splits.test.y)),
      champion: predictions.predictions,
      candidate: await readFloat32(await store.path(evaluated.logits)),
    });
  }
  return championGate({
    version,
    labels: await readInt32(await store.path(manifest.splits.test.y)),
    champion: predictions.labels,
    candidate: argmax(await readFloat32(await store.path(evaluated.logits)), data.classes),
  });
}

/** @throws SupplyChainError `SIGNATURE_MISSING`, `SIGNATURE_INVALID`; ArtifactError */
async function verifySignature(
  { model, files, signature }: ModelVersion,
  { store, publicKeys }: ChampionDependencies,
): Promise<void> {
  const digests = Object.fromEntries(Object.entries(files).map(([path, { sha256 }]) => [path, sha256]));
  verifyModel({ files: digests, bundle: await store.read(signature), publicKeys: await publicKeys(), name: model });
}

function incomparable(version: string, why: string): GateResult {
  return { name: 'champion', passed: false, reason: `cannot be compared with version ${version}: ${why}` };
}

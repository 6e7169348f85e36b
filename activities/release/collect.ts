import { isSaipError } from '../../contracts/errors.ts';
import { RELEASE_FILES, type Evidence, type EvidenceKind } from '../../contracts/release.ts';
import type { CollectedEvidence } from '../../contracts/release-activities.ts';
import { MODEL_FILES, ModelFacts } from '../../contracts/registry.ts';
import type { MlflowRun, StoredVersion } from '../../lib/clients/index.ts';
import { cardDigest, DatasetCard } from '../../lib/datasets/index.ts';
import { composeLineage, ReleaseError } from '../../lib/release/index.ts';
import { verifyModel } from '../../lib/supplychain/index.ts';
import type { ReleaseDependencies } from './dependencies.ts';

type Dependencies = Pick<
  ReleaseDependencies,
  'store' | 'registry' | 'releases' | 'mlflow' | 'modelKeys' | 'latestAttackReport'
>;

/**
 * Gathers what is known about a registered version. What is not there is left out, and what does not fit together is a
 * finding: whether that is enough is for the policy to say.
 * @throws ReleaseError RELEASE_EXISTS; ArtifactError when bytes are lost or were changed; the errors of the servers
 */
export async function collectEvidence(
  { model, version }: { readonly model: string; readonly version: string },
  dependencies: Dependencies,
): Promise<CollectedEvidence> {
  const { store, registry, releases } = dependencies;
  if ((await releases.find(model, version)) !== undefined) {
    throw new ReleaseError('RELEASE_EXISTS', `Version ${version} of ${model} is released already.`);
  }
  const stored = await registry.get(model, version);
  for (const ref of Object.values(stored.files)) await store.path(ref);
  const { digest, files, signature } = stored;
  return {
    model,
    version,
    digest,
    files,
    signature,
    signatureValid: await isSigned(stored, dependencies),
    withdrawn: stored.withdrawn !== undefined,
    ...(await evidenceOf(stored, dependencies)),
  };
}

async function isSigned(
  { model, digest, files, signature }: StoredVersion,
  { store, modelKeys }: Dependencies,
): Promise<boolean> {
  const digests = Object.fromEntries(Object.entries(files).map(([path, { sha256 }]) => [path, sha256]));
  const bundle = await store.read(signature);
  try {
    return verifyModel({ files: digests, bundle, publicKeys: await modelKeys(), name: model }).digest === digest;
  } catch (error) {
    if (isSaipError(error) && (error.code === 'SIGNATURE_INVALID' || error.code === 'SIGNATURE_MISSING')) return false;
    throw error;
  }
}

async function evidenceOf(
  stored: StoredVersion,
  dependencies: Dependencies,
): Promise<Pick<CollectedEvidence, 'evidence' | 'findings'>> {
  const { store } = dependencies;
  const { files } = stored;
  const { [MODEL_FILES.card]: cardRef, [MODEL_FILES.facts]: factsRef } = files;
  const evidence: Evidence[] = [];
  const findings: string[] = [];
  const add = (kind: EvidenceKind, path: string, ref: Evidence['ref']): void => void evidence.push({ kind, path, ref });
  const card = cardRef && (await store.readJson(cardRef, DatasetCard));
  const facts = factsRef && (await store.readJson(factsRef, ModelFacts));
  if (cardRef) add('dataCard', `${RELEASE_FILES.model}${MODEL_FILES.card}`, cardRef);
  if (factsRef) add('metrics', `${RELEASE_FILES.model}${MODEL_FILES.facts}`, factsRef);
  if (card && facts && cardDigest(card) !== facts.cardSha256) {
    findings.push('the data card is not the one that the facts name');
  }
  const run = card && facts && (await findRun(stored, dependencies));
  if (card && facts && run) {
    const composed = composeLineage({ version: stored, facts, card, run });
    findings.push(...composed.findings);
    if (composed.lineage) add('lineage', RELEASE_FILES.lineage, await store.putJson(composed.lineage));
  }
  const attack = await dependencies.latestAttackReport(stored);
  if (attack) add('attackReport', RELEASE_FILES.attackReport, await store.putJson(attack));
  return { evidence, findings };
}

/** A version whose run MLflow does not know (any more) has no lineage; a server that is away is waited for. */
async function findRun({ mlflowRunId }: StoredVersion, { mlflow }: Dependencies): Promise<MlflowRun | undefined> {
  try {
    return await mlflow.runs.get(mlflowRunId);
  } catch (error) {
    if (isSaipError(error) && error.code === 'MLFLOW_REJECTED') return undefined;
    throw error;
  }
}

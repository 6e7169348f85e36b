import { randomUUID } from 'node:crypto';
import { createReleaseActivities, type ReleaseDependencies } from '../../../activities/release/index.ts';
import { PolicyAnswer } from '../../../contracts/release.ts';
import type { ReleaseDraft, SignAndReleaseActivities } from '../../../contracts/release-activities.ts';
import { MODEL_FILES, ModelFacts } from '../../../contracts/registry.ts';
import type { RunContext } from '../../../contracts/run-context.ts';
import { ReleaseInput } from '../../../contracts/sign-and-release.ts';
import { CHECKOUT, loadToolchain } from '../../../infra/local/toolchain.ts';
import type { ArtifactStore } from '../../../lib/artifacts/index.ts';
import {
  MLFLOW_TAGS,
  MlflowClient,
  ModelRegistry,
  Releases,
  withLock,
  type BaoClient,
  type StoredVersion,
} from '../../../lib/clients/index.ts';
import { cardDigest, loadCard } from '../../../lib/datasets/index.ts';
import { signApproval, TransitKeySet } from '../../../lib/identity/index.ts';
import { loadPreset } from '../../../lib/ml/index.ts';
import { CompiledPolicy } from '../../../lib/policy/index.ts';
import { ReleaseStore } from '../../../lib/release/index.ts';
import {
  BUNDLE_MEDIA_TYPE,
  signModel,
  transitPublicKeys,
  transitSigner,
  type StatementSigner,
} from '../../../lib/supplychain/index.ts';
import { sha256 } from '../../support/local-transit.ts';
import type { PrivateDatabase } from '../../support/private-database.ts';
import { inActivity } from './in-activity.ts';

const ISSUER = 'http://api.example';

export interface Servers {
  readonly root: string;
  readonly store: ArtifactStore;
  readonly database: PrivateDatabase;
  readonly mlflowUrl: string;
  readonly release: BaoClient;
  readonly api: BaoClient;
}

export interface VersionChanges {
  readonly accuracy?: number;
  /** Tags of the run that say something else than what was signed. */
  readonly tags?: Record<string, string>;
  /** The run that the version names, where it is none of MLflow's. */
  readonly mlflowRunId?: string;
  /** Default: the release worker's key for models. */
  readonly signer?: StatementSigner;
  readonly without?: readonly string[];
}

/** Registers a version of a model of its own, as a training would leave it on the real servers. */
export async function registerVersion(servers: Servers, changes: VersionChanges = {}): Promise<StoredVersion> {
  const { store, database } = servers;
  const model = `released.${randomUUID().slice(0, 8)}`;
  const around = (value: number) => ({ value, low: value - 0.005, high: value + 0.005 });
  const card = await loadCard('mnist');
  const accuracy = around(changes.accuracy ?? 0.92);
  const facts = ModelFacts.parse({
    version: 1,
    model,
    dataset: 'mnist',
    cardSha256: cardDigest(card),
    dataSha256: sha256('data'),
    input: { name: 'image', shape: [28, 28, 1] },
    labels: ['zero', 'one'],
    evaluation: { samples: 10_000, accuracy, macroF1: accuracy, logLoss: around(0.3), ece: around(0.02) },
    export: { maxAbsDifference: 1e-7, samples: 10_000 },
  });
  const all = {
    [MODEL_FILES.onnx]: await store.put(Buffer.from(`graph of ${model}`), { mediaType: 'application/onnx' }),
    [MODEL_FILES.config]: await store.putJson(loadPreset('mnist-softmax').model),
    [MODEL_FILES.facts]: await store.putJson(facts),
    [MODEL_FILES.card]: await store.putJson(card),
  };
  const files = Object.fromEntries(Object.entries(all).filter(([path]) => !(changes.without ?? []).includes(path)));
  const digests = Object.fromEntries(Object.entries(files).map(([path, ref]) => [path, ref.sha256]));
  const signer = changes.signer ?? transitSigner(servers.release);
  const { digest, bundle } = await signModel({ name: model, files: digests, signer });
  return new ModelRegistry(database.worker).register({
    model,
    digest,
    files,
    signature: await store.put(Buffer.from(bundle), { mediaType: BUNDLE_MEDIA_TYPE }),
    mlflowRunId: changes.mlflowRunId ?? (await trackRun(servers, facts, changes.tags)),
    workflowId: `train-${model}`,
    metrics: { accuracy: accuracy.value },
  });
}

async function trackRun({ mlflowUrl }: Servers, facts: ModelFacts, tags: Record<string, string> = {}): Promise<string> {
  const { runs } = new MlflowClient({ url: mlflowUrl });
  const { runId } = await runs.ensure({
    experimentId: await runs.experiment(`mnist/${facts.model}`),
    name: facts.model,
    user: 'ann',
    startTime: Date.now() - 60_000,
    identity: { [MLFLOW_TAGS.runKey]: `train-${facts.model}` },
    tags: {
      'saip.git.commit': 'a'.repeat(40),
      'saip.dataset': facts.dataset,
      'saip.data.sha256': facts.dataSha256,
      'saip.data.card.sha256': facts.cardSha256,
      ...tags,
    },
  });
  return runId;
}

/** The activities as the release worker composes them, with its login. */
export async function releaseActivities(
  servers: Servers,
  changes: Partial<ReleaseDependencies> = {},
): Promise<SignAndReleaseActivities> {
  const { store, database, release } = servers;
  const activities = createReleaseActivities({
    store,
    mlflow: new MlflowClient({ url: servers.mlflowUrl }),
    registry: new ModelRegistry(database.worker),
    releases: new Releases(database.worker),
    folders: new ReleaseStore({ root: servers.root }),
    latestAttackReport: () => Promise.resolve(undefined),
    policy: await CompiledPolicy.load({ name: 'release', decision: PolicyAnswer }),
    signer: transitSigner(release, 'releases'),
    modelKeys: () => transitPublicKeys(release),
    releaseKeys: () => transitPublicKeys(release, 'releases'),
    approvals: { keys: new TransitKeySet({ transit: release, key: 'approvals' }), issuer: ISSUER },
    platform: { checkout: CHECKOUT, syft: loadToolchain().syft },
    lock: (name, work) => withLock(database.worker, name, work),
    ...changes,
  });
  const inContext = Object.entries(activities).map(([name, activity]) => [
    name,
    (argument: never) => inActivity(activity as (a: never) => Promise<unknown>, argument),
  ]);
  return Object.fromEntries(inContext) as SignAndReleaseActivities;
}

let platform: ReturnType<SignAndReleaseActivities['writePlatformBom']> | undefined;

export interface Drafted {
  readonly run: RunContext;
  readonly input: ReleaseInput;
  readonly draft: ReleaseDraft;
}

/** Runs the stages before the signature. */
export async function draftRelease(
  activities: SignAndReleaseActivities,
  { model, version }: Pick<StoredVersion, 'model' | 'version'>,
  changes: Partial<ReleaseInput> = {},
): Promise<Drafted> {
  const run = { key: `release-${model}-${version}`, runId: randomUUID(), requestedBy: 'ann' };
  const input = ReleaseInput.parse({
    model,
    version,
    risk: 'medium',
    requireAttackReport: false,
    approval: {},
    requestedBy: run.requestedBy,
    ...changes,
  });
  const collected = await activities.collectEvidence({ input });
  // The same checkout gives the same one, and Syft takes seconds.
  platform ??= activities.writePlatformBom({ run });
  const platformBom = await platform;
  const modelBom = await activities.writeModelBom({ collected });
  const decision = await activities.decideRelease({ input, collected, platformBom, modelBom });
  return { run, input, draft: { collected, platformBom, modelBom, decision } };
}

/** The same with the decision of a person, signed by the API's login. */
export async function approved(
  { api }: Servers,
  { run, input, draft }: Drafted,
  changes: { readonly sub?: string; readonly subjectDigest?: string; readonly runId?: string } = {},
): Promise<Drafted> {
  const { jws, claims } = await signApproval({
    keys: new TransitKeySet({ transit: api, key: 'approvals' }),
    issuer: ISSUER,
    approval: {
      sub: 'bob',
      workflowId: run.key,
      runId: run.runId,
      stage: 'approval',
      subjectDigest: draft.decision.document.sha256,
      decision: 'approve',
      ...changes,
    },
  });
  return { run, input, draft: { ...draft, approval: { jws, claims } } };
}

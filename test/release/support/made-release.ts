import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MODEL_FILES, ModelFacts } from '../../../contracts/registry.ts';
import type { ArtifactRef } from '../../../contracts/reference.ts';
import { DecisionDocument, PolicyAnswer, RELEASE_FILES, type ReleaseManifest } from '../../../contracts/release.ts';
import type { CollectedEvidence, ReleaseDraft } from '../../../contracts/release-activities.ts';
import { ReleaseInput } from '../../../contracts/sign-and-release.ts';
import { ArtifactStore } from '../../../lib/artifacts/index.ts';
import type { MlflowRun } from '../../../lib/clients/index.ts';
import { cardDigest, loadCard } from '../../../lib/datasets/index.ts';
import { CompiledPolicy } from '../../../lib/policy/index.ts';
import { loadPreset } from '../../../lib/ml/index.ts';
import {
  composeLineage,
  modelBom,
  policyInput,
  releaseManifest,
  releaseProvenance,
  ReleaseStore,
} from '../../../lib/release/index.ts';
import {
  BUNDLE_MEDIA_TYPE,
  encodeProvenance,
  signModel,
  signStatement,
  transitPublicKeys,
  transitSigner,
  type Provenance,
} from '../../../lib/supplychain/index.ts';
import { LocalTransit, sha256 } from '../../support/local-transit.ts';

export const MODEL = 'mnist-softmax';
export const VERSION = '3';

const interval = (value: number): { value: number; low: number; high: number } => ({
  value,
  low: value - 0.01,
  high: value + 0.01,
});

/** What a test spoils before the release is signed: by a key that is trusted, all the same. */
export interface Changes {
  readonly input?: Partial<ReleaseInput>;
  readonly answer?: (answer: PolicyAnswer) => PolicyAnswer;
  readonly approvedBy?: string | null;
  readonly manifest?: (manifest: ReleaseManifest) => ReleaseManifest;
  readonly provenance?: (provenance: Provenance) => Provenance;
  readonly modelBom?: (bom: Record<string, unknown>) => unknown;
  readonly signedAs?: string;
}

/** A release made in a folder of its own by the same functions as the release worker's, with keys in this process. */
export class MadeRelease {
  readonly root: string;
  readonly store: ArtifactStore;
  readonly transit = new LocalTransit();

  private constructor(root: string) {
    this.root = root;
    this.store = new ArtifactStore({ root });
  }

  static async begin(): Promise<MadeRelease> {
    return new MadeRelease(await mkdtemp(join(tmpdir(), 'saip-release-')));
  }

  get folder(): string {
    return new ReleaseStore({ root: this.root }).folder({ model: MODEL, version: VERSION });
  }

  publicKeys(): Promise<readonly string[]> {
    return transitPublicKeys(this.transit);
  }

  /** @returns path in the folder → bytes in the store */
  async files(changes: Changes = {}): Promise<Record<string, ArtifactRef>> {
    const { store } = this;
    const input = ReleaseInput.parse({
      model: MODEL,
      version: VERSION,
      risk: 'medium',
      requireAttackReport: false,
      approval: {},
      requestedBy: 'ann',
      ...changes.input,
    });
    const run = { key: 'release-1', runId: 'run-1', requestedBy: input.requestedBy };
    const draft = await this.#draft(input, changes);
    const signer = transitSigner(this.transit);
    const digests = Object.fromEntries(Object.entries(draft.collected.files).map(([path, ref]) => [path, ref.sha256]));
    const oms = await signModel({ name: changes.signedAs ?? MODEL, files: digests, signer });
    const modelSignature = await this.#put(oms.bundle, BUNDLE_MEDIA_TYPE);
    const keys = await this.#put((await this.publicKeys()).join(''), 'application/x-pem-file');
    const made = releaseManifest({ run, input, draft, modelSignature, keys });
    const manifest = changes.manifest?.(made) ?? made;
    const ref = await store.putJson(manifest);
    const provenance = releaseProvenance({
      manifest,
      lineage: undefined,
      gitCommit: 'a'.repeat(40),
      platformVersion: '0.1.0',
      locks: { 'package-lock.json': sha256('lock') },
      startedOn: '2026-01-01T00:00:00Z',
      finishedOn: '2026-01-01T00:00:10Z',
    });
    const subjects = Object.fromEntries(Object.entries(manifest.files).map(([path, file]) => [path, file.sha256]));
    const statement = encodeProvenance({
      subjects: { ...subjects, [RELEASE_FILES.manifest]: ref.sha256 },
      provenance: changes.provenance?.(provenance) ?? provenance,
    });
    const listed = Object.entries(manifest.files).map(
      ([path, file]) => [path, { uri: `cas://sha256/${file.sha256}`, ...file }] as const,
    );
    return {
      ...Object.fromEntries(listed),
      [RELEASE_FILES.manifest]: ref,
      [RELEASE_FILES.provenance]: await this.#put(await signStatement(statement, signer), BUNDLE_MEDIA_TYPE),
    };
  }

  /** Writes the folder. */
  async write(changes: Changes = {}): Promise<this> {
    const files = await this.files(changes);
    const folders = new ReleaseStore({ root: this.root });
    await folders.put({ model: MODEL, version: VERSION, files, store: this.store, check: () => Promise.resolve() });
    return this;
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }

  #put(text: string, mediaType: string): Promise<ArtifactRef> {
    return this.store.put(Buffer.from(text), { mediaType });
  }

  async #draft(input: ReleaseInput, changes: Changes): Promise<ReleaseDraft> {
    const { store } = this;
    const { collected, facts, card } = await this.#collect();
    const made = modelBom({ ...collected, facts, card, origin: loadPreset(MODEL).model });
    const bom = changes.modelBom?.({ ...made.bom }) ?? made.bom;
    const platform = {
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      metadata: { component: { type: 'application', name: 'secure-ai-platform' } },
      components: [{ type: 'library', name: 'zod', version: '4.6.7' }],
    };
    const modelBomRef = { ref: await store.putJson(bom), components: made.components };
    const platformBom = { ref: await store.putJson(platform), components: 1 };
    const policy = await CompiledPolicy.load({ name: 'release', decision: PolicyAnswer });
    const contents = { dataCard: card, metrics: facts, lineage: await this.#lineage(collected) };
    const question = policyInput({ input, collected, platformBom, modelBom: modelBomRef, contents });
    const asked = policy.evaluate(question);
    const answer = changes.answer?.(asked) ?? asked;
    const document = await store.putJson(
      DecisionDocument.parse({
        schema: 1,
        policy: { entrypoint: 'saip/release/decision', sha256: policy.sha256 },
        input: question,
        answer,
      }),
    );
    const sub = changes.approvedBy === undefined ? 'bob' : changes.approvedBy;
    const claims = {
      iss: 'test',
      jti: 'jti-1',
      iat: 1_767_225_600,
      exp: 1_767_226_500,
      workflowId: 'release-1',
      runId: 'run-1',
      stage: 'approval',
      subjectDigest: document.sha256,
      decision: 'approve' as const,
    };
    return {
      collected,
      platformBom,
      modelBom: modelBomRef,
      decision: { answer, document },
      ...(sub !== null && { approval: { jws: 'a.b.c', claims: { ...claims, sub } } }),
    };
  }

  async #collect(): Promise<{
    collected: CollectedEvidence;
    facts: ModelFacts;
    card: Awaited<ReturnType<typeof loadCard>>;
  }> {
    const { store } = this;
    const card = await loadCard('mnist');
    const facts = ModelFacts.parse({
      version: 1,
      model: MODEL,
      dataset: 'mnist',
      cardSha256: cardDigest(card),
      dataSha256: sha256('data'),
      input: { name: 'image', shape: [28, 28, 1] },
      labels: ['zero', 'one'],
      evaluation: {
        samples: 10_000,
        accuracy: interval(0.92),
        macroF1: interval(0.91),
        logLoss: interval(0.28),
        ece: interval(0.02),
      },
      export: { maxAbsDifference: 1e-7, samples: 10_000 },
    });
    const files = {
      [MODEL_FILES.onnx]: await this.#put('graph', 'application/onnx'),
      [MODEL_FILES.config]: await store.putJson(loadPreset(MODEL).model),
      [MODEL_FILES.facts]: await store.putJson(facts),
      [MODEL_FILES.card]: await store.putJson(card),
    };
    const digests = Object.fromEntries(Object.entries(files).map(([path, ref]) => [path, ref.sha256]));
    const { digest, bundle } = await signModel({ name: MODEL, files: digests, signer: transitSigner(this.transit) });
    const signature = await this.#put(bundle, BUNDLE_MEDIA_TYPE);
    const rest = { model: MODEL, version: VERSION, digest, files, signature, signatureValid: true, withdrawn: false };
    const { lineage } = composeLineage({
      version: { ...rest, mlflowRunId: 'run', workflowId: 'train-1', metrics: {}, createdAt: '2026-01-01T00:00:00Z' },
      facts,
      card,
      run: trackedRun(facts),
    });
    const evidence: CollectedEvidence['evidence'] = [
      { kind: 'dataCard', path: `model/${MODEL_FILES.card}`, ref: files[MODEL_FILES.card] },
      { kind: 'metrics', path: `model/${MODEL_FILES.facts}`, ref: files[MODEL_FILES.facts] },
      { kind: 'lineage', path: RELEASE_FILES.lineage, ref: await store.putJson(lineage) },
    ];
    return { collected: { ...rest, evidence, findings: [] }, facts, card };
  }

  async #lineage({ evidence }: CollectedEvidence): Promise<never> {
    const ref = evidence.find(({ kind }) => kind === 'lineage')?.ref ?? never();
    return JSON.parse((await this.store.read(ref)).toString()) as never;
  }
}

/** The run in MLflow that a training of these facts would have left. */
export function trackedRun(facts: ModelFacts, tags: Record<string, string> = {}): MlflowRun {
  return {
    runId: 'run',
    experimentId: '1',
    status: 'FINISHED',
    startTime: Date.parse('2026-01-01T00:00:00Z'),
    endTime: Date.parse('2026-01-01T00:01:00Z'),
    artifactUri: 'mlflow-artifacts:/1/run/artifacts',
    tags: {
      'saip.git.commit': 'b'.repeat(40),
      'saip.dataset': facts.dataset,
      'saip.data.sha256': facts.dataSha256,
      'saip.data.card.sha256': facts.cardSha256,
      'saip.seed': '42',
      'mlflow.user': 'ann',
      ...tags,
    },
    models: [],
  };
}

function never(): never {
  throw new Error('the test data is not whole');
}

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSigningActivities } from '../../activities/signing/index.ts';
import type { ReleaseActivities } from '../../contracts/activities.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { ModelFacts } from '../../contracts/registry.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { transitPublicKeys, transitSigner, verifyModel } from '../../lib/supplychain/index.ts';
import { LocalTransit, sha256 } from '../support/local-transit.ts';

type Input = Parameters<ReleaseActivities['signModel']>[0];

const interval = { value: 0.99, low: 0.98, high: 1 };
const counts = { train: 8, validation: 1, test: 1 };

let root: string;
let store: ArtifactStore;
let transit: LocalTransit;
let activities: Pick<ReleaseActivities, 'signModel'>;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'saip-signing-'));
  store = new ArtifactStore({ root });
  transit = new LocalTransit();
  activities = createSigningActivities({
    store,
    signer: transitSigner(transit),
    publicKeys: () => transitPublicKeys(transit),
  });
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const put = (text: string) => store.put(Buffer.from(text), { mediaType: 'application/octet-stream' });

async function input(): Promise<Input> {
  const any = await put('x');
  const split = { x: any, y: any, count: 1 };
  const manifest = await store.putJson({
    version: 1,
    dataset: 'mnist',
    seed: 42,
    validationShare: 0.1,
    input: { name: 'image', shape: [28, 28, 1], dtype: 'uint8' },
    labels: ['zero', 'one'],
    preprocessing: { kind: 'affine', scale: [1 / 255], offset: [0] },
    splits: { train: split, validation: split, test: split },
  });
  const summary = { samples: 1, accuracy: interval, macroF1: interval, logLoss: interval, ece: interval };
  return {
    run: { key: 'train-1', runId: 'run-1', requestedBy: 'ann@local' },
    registerAs: 'mnist-mlp',
    data: { manifest, cardSha256: sha256('card'), dataSha256: sha256('data'), classes: 2, counts },
    card: await put('card'),
    evaluated: { summary, report: any, logits: any, plots: {} },
    exported: { onnx: await put('graph'), maxAbsDifference: 1e-7, samples: 1 },
    model: { name: 'mnist-mlp', task: 'multiclass', layers: [{ type: 'dense', units: 2, activation: 'linear' }] },
  };
}

const digestsOf = (files: Readonly<Record<string, ArtifactRef>>) =>
  Object.fromEntries(Object.entries(files).map(([path, ref]) => [path, ref.sha256]));

describe('signModel', () => {
  it('stores a model folder whose signature a consumer can verify', async () => {
    const { digest, files, signature } = await activities.signModel(await input());
    expect(signature.mediaType).toBe('application/vnd.dev.sigstore.bundle.v0.3+json');
    const verified = verifyModel({
      files: digestsOf(files),
      bundle: await store.read(signature),
      publicKeys: await transitPublicKeys(transit),
      name: 'mnist-mlp',
    });
    expect(verified.digest).toBe(digest);
    expect(Object.keys(files).sort()).toEqual([
      'data-card.json',
      'model-config.json',
      'model-facts.json',
      'model.onnx',
    ]);
    const facts = files['model-facts.json'];
    expect(facts && (await store.readJson(facts, ModelFacts))).toMatchObject({
      model: 'mnist-mlp',
      dataset: 'mnist',
      input: { name: 'image', shape: [28, 28, 1] },
      labels: ['zero', 'one'],
      cardSha256: sha256('card'),
      evaluation: { accuracy: interval },
    });
  });

  it('gives the same digest when it is repeated', async () => {
    const first = await activities.signModel(await input());
    const second = await activities.signModel(await input());
    expect(second.digest).toBe(first.digest);
    expect(second.files).toEqual(first.files);
  });

  it('signs nothing when the graph is missing or was changed', async () => {
    const missing = await input();
    const onnx = { ...missing.exported.onnx, sha256: sha256('lost'), uri: `cas://sha256/${sha256('lost')}` };
    const exported = { ...missing.exported, onnx };
    await expect(activities.signModel({ ...missing, exported })).rejects.toMatchObject({ code: 'ARTIFACT_NOT_FOUND' });

    const changed = await input();
    const path = await store.path(changed.exported.onnx);
    const bytes = await readFile(path);
    await rm(path);
    await writeFile(path, Buffer.from(bytes.toString().replace('g', 'G')));
    await expect(activities.signModel(changed)).rejects.toMatchObject({ code: 'ARTIFACT_DIGEST_MISMATCH' });
    expect(transit.reads).toBe(0);
  });

  it('gives nothing back that the trusted keys do not verify', async () => {
    const strangers = createSigningActivities({
      store,
      signer: transitSigner(new LocalTransit()),
      publicKeys: () => transitPublicKeys(transit),
    });
    await expect(strangers.signModel(await input())).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import canonicalize from 'canonicalize';
import { createGatesActivities } from '../../activities/gates/index.ts';
import type { GatesDependencies } from '../../activities/gates/index.ts';
import type { CpuActivities } from '../../contracts/activities.ts';
import { ModelConfig } from '../../contracts/model-config.ts';
import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { MODEL_FILES } from '../../contracts/registry.ts';
import type { ModelVersion } from '../../contracts/registry.ts';
import { TrainGates } from '../../contracts/train-register-deploy.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { DatabaseError } from '../../lib/clients/index.ts';
import { writeSafetensors } from '../../lib/ml/index.ts';
import { exportOnnx } from '../../lib/onnx/index.ts';
import { signModel, transitPublicKeys, transitSigner } from '../../lib/supplychain/index.ts';
import { LocalTransit, sha256 } from '../support/local-transit.ts';

type Input = Parameters<CpuActivities['decideGates']>[0];
type Decision = Awaited<ReturnType<CpuActivities['decideGates']>>;

const COUNT = 12;
const LABELS = ['circle', 'square', 'star'];
const root = mkdtempSync(path.join(tmpdir(), 'saip-gates-'));
const store = new ArtifactStore({ root });
const transit = new LocalTransit();
const digest = 'e'.repeat(64);
let manifest: PreparedManifest;
let champion: ModelVersion;

const put = (bytes: Uint8Array): Promise<ArtifactRef> => store.put(bytes, { mediaType: 'application/octet-stream' });
const floats = (values: Iterable<number>): Promise<ArtifactRef> =>
  put(new Uint8Array(Float32Array.from(values).buffer));
/** Row-major one-hot rows. */
const oneHot = (classes: readonly number[]): number[] =>
  classes.flatMap((label) => LABELS.map((_, c) => (c === label ? 1 : 0)));
const truth = Array.from({ length: COUNT }, (_, i) => i % 3);

beforeAll(async () => {
  // The champion predicts the largest of three inputs: it is right but for the last six samples.
  const x = await floats(oneHot(truth.map((label, i) => (i < 6 ? label : (label + 1) % 3))));
  const y = await put(new Uint8Array(Int32Array.from(truth).buffer));
  const split = { x, y, count: COUNT };
  manifest = {
    version: 1,
    dataset: 'shapes',
    seed: 1,
    validationShare: 0.1,
    input: { name: 'sample', shape: [3], dtype: 'float32' },
    labels: LABELS,
    preprocessing: { kind: 'affine', scale: [1], offset: [0] },
    splits: { train: split, validation: split, test: split },
  };
  champion = await signedVersion({ labels: LABELS });
});
afterAll(() => rmSync(root, { recursive: true }));

/** Version 4 of `shapes-net`, with the identity as its network. */
async function signedVersion(o: { labels: readonly string[]; name?: string }): Promise<ModelVersion> {
  const model = ModelConfig.parse({ name: 'shapes-net', layers: [{ type: 'dense', units: 3 }] });
  const identity = { shape: [3, 3], data: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1) };
  const zero = { shape: [3], data: new Float32Array(3) };
  const weights = writeSafetensors(new Map(Object.entries({ 'layers.0.kernel': identity, 'layers.0.bias': zero })));
  const interval = { value: 0.5, low: 0.4, high: 0.6 };
  const files = {
    [MODEL_FILES.onnx]: await put(exportOnnx({ model, weights, manifest, dataSha256: digest })),
    [MODEL_FILES.facts]: await store.putJson({
      version: 1,
      model: 'shapes-net',
      dataset: 'shapes',
      cardSha256: digest,
      dataSha256: digest,
      input: { name: 'sample', shape: [3] },
      labels: o.labels,
      evaluation: { samples: COUNT, accuracy: interval, macroF1: interval, logLoss: interval, ece: interval },
      export: { maxAbsDifference: 0, samples: COUNT },
    }),
  };
  const digests = Object.fromEntries(Object.entries(files).map(([file, { sha256 }]) => [file, sha256]));
  const signed = await signModel({ name: o.name ?? 'shapes-net', files: digests, signer: transitSigner(transit) });
  return {
    model: 'shapes-net',
    version: '4',
    digest: signed.digest,
    files,
    signature: await put(Buffer.from(signed.bundle)),
    mlflowRunId: 'run',
    workflowId: 'workflow',
    metrics: {},
    createdAt: '2026-01-01T00:00:00.000Z',
  };
}

/** The version under the alias `champion`, if any. */
function dependencies(current: ModelVersion | undefined): GatesDependencies {
  return {
    store,
    registry: { get: async () => current ?? Promise.reject(new DatabaseError('MODEL_UNKNOWN', 'none')) },
    aliases: {
      current: async (model, alias) =>
        current && { model, alias, version: '4', digest, since: '', actor: '', reason: '', workflowId: '' },
    },
    publicKeys: () => transitPublicKeys(transit),
  };
}

async function input(candidate: readonly number[], gates: Partial<TrainGates> = {}): Promise<Input> {
  const interval = { value: 0.91, low: 0.9, high: 0.93 };
  const ref = await put(Buffer.from('report'));
  return {
    registerAs: 'shapes-net',
    gates: TrainGates.parse(gates),
    data: {
      manifest: await store.putJson(manifest),
      cardSha256: digest,
      dataSha256: digest,
      classes: 3,
      counts: { train: COUNT, validation: COUNT, test: COUNT },
    },
    evaluated: {
      summary: { samples: COUNT, accuracy: interval, macroF1: interval, logLoss: interval, ece: interval },
      report: ref,
      logits: await floats(oneHot(candidate)),
      plots: {},
    },
    exported: { onnx: await put(Buffer.from('another graph')), maxAbsDifference: 0, samples: COUNT },
  };
}

async function decide(
  candidate: readonly number[],
  current: ModelVersion | undefined,
  gates?: Partial<TrainGates>,
): Promise<Decision> {
  const { decideGates } = createGatesActivities(dependencies(current));
  return new MockActivityEnvironment().run(decideGates, await input(candidate, gates));
}

/** Wrong on the samples of these indices. */
const wrongOn = (...indices: number[]): number[] =>
  truth.map((label, i) => (indices.includes(i) ? (label + 1) % 3 : label));

describe('decideGates', () => {
  it('checks each threshold that is set', async () => {
    const gates = { minAccuracy: 0.91, minMacroF1: 0.92, maxLogLoss: 0.9, maxEce: 1, champion: 'off' } as const;
    const { results } = await decide(truth, champion, gates);
    expect(results.map(({ name, passed }) => [name, passed])).toEqual([
      ['minAccuracy', true],
      ['minMacroF1', false],
      ['maxLogLoss', false],
      ['maxEce', true],
    ]);
    expect(results[1]?.reason).toBe('macro F1 0.9100 (95 % interval 0.9000 to 0.9300), at least 0.92 asked');
  });

  it('passes where there is no champion', async () => {
    const { results } = await decide(truth, undefined);
    expect(results).toEqual([{ name: 'champion', passed: true, reason: expect.stringContaining('no champion') }]);
  });

  it('passes a candidate that the paired test does not find worse', async () => {
    const { results } = await decide(wrongOn(0, 1, 2, 3, 6, 7, 8, 9, 10, 11), champion);
    expect(results[0]).toMatchObject({
      name: 'champion',
      passed: true,
      reason: expect.stringMatching(/not worse than version 4: .*12 test samples: 4 right by .*, 0 by .*p = 0\.0625/),
    });
  });

  it('knows the champion’s own graph, bit for bit', async () => {
    const given = await input(wrongOn(0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11));
    const onnx = champion.files[MODEL_FILES.onnx] as ArtifactRef;
    const { decideGates } = createGatesActivities(dependencies(champion));
    const same = { ...given, exported: { ...given.exported, onnx } };
    const decision = await new MockActivityEnvironment().run<[typeof same], Decision, typeof decideGates>(
      decideGates,
      same,
    );
    expect(decision.results).toEqual([
      { name: 'champion', passed: true, reason: 'it is the graph of version 4, bit for bit' },
    ]);
  });

  it('refuses a candidate that the paired test finds worse', async () => {
    const { results } = await decide(wrongOn(0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11), champion);
    expect(results[0]).toMatchObject({
      passed: false,
      reason: expect.stringMatching(/^worse than version 4: .*5 right by .*, 0 by .*p = 0\.0313, alpha 0\.05$/),
    });
  });

  it.each<[string, () => Promise<ModelVersion>, RegExp]>([
    [
      'whose graph was changed',
      async () => ({ ...champion, files: { ...champion.files, [MODEL_FILES.onnx]: await put(Buffer.from('x')) } }),
      /model\.onnx was changed/,
    ],
    ['without a signature', async () => ({ ...champion, signature: await put(new Uint8Array(0)) }), /no signature/],
    ['signed under another name', () => signedVersion({ labels: LABELS, name: 'other' }), /"other"/],
    [
      'whose graph is gone',
      async () => {
        const files = { ...champion.files };
        files[MODEL_FILES.facts] = {
          ...(files[MODEL_FILES.facts] as ArtifactRef),
          uri: `cas://sha256/${'1'.repeat(64)}`,
        };
        return { ...champion, files };
      },
      /./,
    ],
    ['of other classes', () => signedVersion({ labels: ['cat', 'dog', 'bird'] }), /tells apart cat, dog, bird/],
  ])('refuses where it meets a champion %s', async (_, version, why) => {
    const { results } = await decide(truth, await version());
    expect(results[0]).toMatchObject({ name: 'champion', passed: false, reason: expect.stringMatching(why) });
    expect(results[0]?.reason).toMatch(/^cannot be compared with version 4: /);
  });

  it('fails, for a retry, where the database fails', async () => {
    const broken = dependencies(champion);
    const { decideGates } = createGatesActivities({
      ...broken,
      registry: { get: () => Promise.reject(new DatabaseError('DATABASE_UNAVAILABLE', 'away')) },
    });
    const attempt = new MockActivityEnvironment().run(decideGates, await input(truth));
    await expect(attempt).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  });

  it('digests what a person is asked to approve', async () => {
    const { results, subjectDigest } = await decide(truth, champion, { minAccuracy: 0.5 });
    const { data, evaluated, exported } = await input(truth);
    const subject = canonicalize({
      model: 'shapes-net',
      onnxSha256: exported.onnx.sha256,
      reportSha256: evaluated.report.sha256,
      dataManifestSha256: data.manifest.sha256,
      gates: results,
    });
    expect(subjectDigest).toBe(sha256(subject ?? ''));
    expect((await decide(truth, champion, { minAccuracy: 0.6 })).subjectDigest).not.toBe(subjectDigest);
  });
});

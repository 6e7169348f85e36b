import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createExtractShardActivities } from '../../activities/extraction/index.ts';
import { measureActivities } from '../../activities/extraction/measure.ts';
import type { AttackTarget, ExtractionShard } from '../../contracts/activities.ts';
import { Extraction } from '../../contracts/extraction.ts';
import { ModelConfig } from '../../contracts/model-config.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import type { NewExtractionRecord } from '../../lib/clients/index.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { prepare } from '../../lib/datasets/index.ts';
import { SubstituteResult, writeSafetensors } from '../../lib/ml/index.ts';
import { RandomStream } from '../../lib/ml/random.ts';
import { exportOnnx } from '../../lib/onnx/index.ts';
import { inActivity } from './support/in-activity.ts';

const root = mkdtempSync(path.join(tmpdir(), 'saip-extraction-'));
const store = new ArtifactStore({ root });
const network = ModelConfig.parse({ name: 'tiny', layers: [{ type: 'flatten' }, { type: 'dense', units: 10 }] });
const run = { key: 'extraction-1', runId: 'run', requestedBy: 'ada' };
const extraction = Extraction.parse({
  queries: [10, 400],
  answers: ['probabilities'],
  seed: 1,
  training: { epochs: 5, minSteps: 200, batchSize: 32, learningRate: 0.01 },
});

const remembered = new Map<string, Map<number, ArtifactRef>>();
const { extractShard } = createExtractShardActivities({
  store,
  threads: 1,
  attacks: {
    finishedBatches: async (key) => remembered.get(key) ?? new Map(),
    commitBatch: async ({ key, batch, ref }) => {
      remembered.set(key, (remembered.get(key) ?? new Map<number, ArtifactRef>()).set(batch, ref));
    },
  },
});
const records: NewExtractionRecord[] = [];
const { summariseExtraction, recordExtraction } = measureActivities({
  store,
  extractions: { append: async (record) => void records.push(record) },
});

let target: AttackTarget;
let shard: ExtractionShard;
const shardOf = (): Promise<ExtractionShard> =>
  inActivity(extractShard, { run, target, extraction, answers: 'probabilities', shard: 0, shards: 1 });

beforeAll(async () => {
  const { manifest, dataSha256 } = await prepare({ dataset: 'mnist', seed: 42, validationShare: 0.1, store });
  const stream = new RandomStream('weights', 1);
  const tensor = (...shape: number[]) => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 0.3 * (stream.uniform() - 0.5)),
  });
  const weights = writeSafetensors(
    new Map([
      ['layers.1.kernel', tensor(784, 10)],
      ['layers.1.bias', tensor(10)],
    ]),
  );
  target = {
    ...{ model: 'tiny', version: '3', digest: 'd'.repeat(64), network, dataset: 'mnist', samples: 10_000 },
    onnx: await store.put(exportOnnx({ model: network, weights, manifest, dataSha256 }), {
      mediaType: 'application/onnx',
    }),
    manifest: await store.putJson(manifest),
  };
  shard = await shardOf();
});
afterAll(() => rmSync(root, { recursive: true }));

describe('a shard of an extraction', () => {
  it('is one durable substitute a number of queries, which a repetition finds', async () => {
    const [key = ''] = remembered.keys();
    expect(key.startsWith(`extraction-1/run/${target.digest}/`) && key.endsWith('/probabilities')).toBe(true);
    expect(shard).toEqual({ answers: 'probabilities', points: [...(remembered.get(key)?.values() ?? [])] });
    expect(await shardOf()).toEqual(shard);
    expect(remembered.size).toBe(1);
  });

  it('is summed up with what the served graph says of samples that nobody asked about, and kept', async () => {
    const { configSha256, curve, budgets } = await inActivity(summariseExtraction, {
      ...{ target, extraction, threshold: 0.9, shards: [shard] },
    });
    expect(curve).toMatchObject({ evaluated: 5000, ownSamples: 5000, substitute: 'tiny' });
    const [few, many] = curve.points;
    expect([few?.queries, many?.queries, many?.made]).toEqual([10, 400, 0]);
    // The graph was never trained, so only agreement grows.
    expect(many?.fidelity.value).toBeGreaterThan((few?.fidelity.high ?? 1) + 0.1);
    expect(many?.fidelity.high).toBeGreaterThan(many?.fidelity.low ?? 1);
    expect(many?.accuracy.value).toBeLessThan(0.5);
    expect(budgets).toMatchObject([{ answers: 'probabilities', threshold: 0.9 }]);
    const record = { run, target, configSha256, extraction, curve, mlflowRunId: 'run-1' };
    await inActivity(recordExtraction, record);
    expect(records).toMatchObject([{ model: 'tiny', version: '3', workflowId: 'extraction-1', runId: 'run', curve }]);
  });

  it('is refused where substitutes are missing or of other samples', async () => {
    const summarise = (points: ArtifactRef[]) =>
      inActivity(summariseExtraction, { target, extraction, threshold: 0.9, shards: [{ ...shard, points }] });
    await expect(summarise(shard.points.slice(1))).rejects.toMatchObject({ code: 'ATTACK_INPUT_INVALID' });
    const [first, second] = shard.points as [ArtifactRef, ArtifactRef];
    const cut = await store.readJson(second, SubstituteResult);
    const shorter = await store.putJson({ ...cut, predicted: cut.predicted.slice(1) });
    await expect(summarise([first, shorter])).rejects.toMatchObject({ code: 'ATTACK_INPUT_INVALID' });
  });

  it('of a candidate is not recorded', async () => {
    const candidate = Object.fromEntries(
      Object.entries(target).filter(([name]) => name !== 'version'),
    ) as unknown as AttackTarget;
    const curve = { points: [], evaluated: 1, ownSamples: 1, substitute: 't', deviceClass: 'cpu' };
    const modelAccuracy = { value: 1, low: 1, high: 1 };
    const record = { run, target: candidate, extraction, curve: { ...curve, modelAccuracy }, mlflowRunId: 'r' };
    const recorded = inActivity(recordExtraction, { ...record, configSha256: 'c'.repeat(64) });
    await expect(recorded).rejects.toMatchObject({ code: 'ATTACK_INPUT_INVALID' });
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createAttackShardActivities } from '../../activities/attack/index.ts';
import { measureActivities } from '../../activities/attack/measure.ts';
import { pictureOf } from '../../activities/attack/picture.ts';
import { targetActivities } from '../../activities/attack/target.ts';
import type { AttackShard, AttackTarget, ExportedModel, PreparedData } from '../../contracts/activities.ts';
import type { Measurement } from '../../contracts/adversary.ts';
import type { AttackRecord } from '../../contracts/attack-retest.ts';
import { ModelConfig } from '../../contracts/model-config.ts';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { MODEL_FILES } from '../../contracts/registry.ts';
import { BatchResult } from '../../lib/adversary/index.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { DatabaseError } from '../../lib/clients/index.ts';
import type { StoredVersion } from '../../lib/clients/index.ts';
import { prepare } from '../../lib/datasets/index.ts';
import { readSafetensors, writeSafetensors } from '../../lib/ml/index.ts';
import { RandomStream } from '../../lib/ml/random.ts';
import { exportOnnx } from '../../lib/onnx/index.ts';
import { signModel, transitPublicKeys, transitSigner } from '../../lib/supplychain/index.ts';
import { LocalTransit } from '../support/local-transit.ts';
import { inActivity } from './support/in-activity.ts';

const root = mkdtempSync(path.join(tmpdir(), 'saip-attack-'));
const store = new ArtifactStore({ root });
const transit = new LocalTransit();
const model = ModelConfig.parse({ name: 'tiny', layers: [{ type: 'flatten' }, { type: 'dense', units: 10 }] });
const weights = randomWeights();
const measurement: Measurement = {
  attacks: [{ kind: 'fgsm' }, { kind: 'pgd', steps: 3, restarts: 1 }],
  epsilons: [0.05],
  samples: 60,
  seed: 1,
};
const run = { key: 'attack-1', runId: 'run', requestedBy: 'ada' };

let manifest: PreparedManifest;
let version: StoredVersion;
beforeAll(async () => {
  ({ manifest } = await prepare({ dataset: 'mnist', seed: 42, validationShare: 0.1, store }));
  version = await signedVersion();
});
afterAll(() => rmSync(root, { recursive: true }));

/** Of a regression that has learnt nothing, small enough that its softmax does not saturate. */
function randomWeights(): Uint8Array {
  const stream = new RandomStream('weights', 1);
  const tensor = (...shape: number[]) => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 0.1 * (stream.uniform() - 0.5)),
  });
  return writeSafetensors(
    new Map([
      ['layers.1.kernel', tensor(784, 10)],
      ['layers.1.bias', tensor(10)],
    ]),
  );
}

interface Changes {
  readonly dataSha256?: string;
  readonly withdrawn?: StoredVersion['withdrawn'];
  /** In place of an image, facts of a table with one column. */
  readonly table?: true;
}

async function signedVersion(changes: Changes = {}) {
  const { dataSha256 } = await prepare({ dataset: 'mnist', seed: 42, validationShare: 0.1, store });
  const interval = { value: 0.5, low: 0.4, high: 0.6 };
  const files: Record<string, ArtifactRef> = {
    [MODEL_FILES.onnx]: await store.put(exportOnnx({ model, weights, manifest, dataSha256 }), {
      mediaType: 'application/onnx',
    }),
    [MODEL_FILES.config]: await store.putJson(model),
    [MODEL_FILES.facts]: await store.putJson({
      ...(changes.table
        ? { version: 2, columns: [{ kind: 'numeric', name: 'age', integer: true }], missing: [] }
        : { version: 1, input: { name: manifest.input.name, shape: manifest.input.shape } }),
      model: 'tiny',
      dataset: changes.table ? 'iris' : 'mnist',
      cardSha256: 'c'.repeat(64),
      dataSha256: changes.dataSha256 ?? dataSha256,
      labels: manifest.labels,
      evaluation: { samples: 1, accuracy: interval, macroF1: interval, logLoss: interval, ece: interval },
      export: { maxAbsDifference: 0, samples: 1 },
    }),
  };
  const digests = Object.fromEntries(Object.entries(files).map(([file, { sha256 }]) => [file, sha256]));
  const signed = await signModel({ name: 'tiny', files: digests, signer: transitSigner(transit) });
  return {
    model: 'tiny',
    version: '3',
    digest: signed.digest,
    files,
    signature: await store.put(Buffer.from(signed.bundle), { mediaType: 'application/json' }),
    mlflowRunId: 'mlflow-run',
    workflowId: 'train-1',
    metrics: {},
    createdAt: '2026-01-01T00:00:00.000Z',
    ...(changes.withdrawn && { withdrawn: changes.withdrawn }),
  } satisfies StoredVersion;
}

function target(of: StoredVersion | undefined = version, champion: string | undefined = '3') {
  return targetActivities({
    store,
    registry: {
      get: async () => of,
      model: async () => Promise.reject(new DatabaseError('MODEL_UNKNOWN', 'No such model.')),
    },
    aliases: {
      current: async (name, alias) =>
        champion === undefined
          ? undefined
          : {
              model: name,
              alias,
              version: champion,
              digest: of.digest,
              since: '',
              actor: '',
              reason: '',
              workflowId: '',
            },
    },
    publicKeys: () => transitPublicKeys(transit),
  });
}

const resolve = (of?: StoredVersion, champion?: string) =>
  inActivity(target(of, champion).resolveAttackTarget, { model: 'tiny' });

describe('what is attacked', () => {
  it('is the signed graph of the champion, taken apart', async () => {
    const resolved = await resolve();
    expect(resolved).toMatchObject({
      model: 'tiny',
      version: '3',
      digest: version.digest,
      dataset: 'mnist',
      samples: 10_000,
      mlflowRunId: 'mlflow-run',
    });
    const read = readSafetensors(await store.read(resolved.weights as NonNullable<typeof resolved.weights>)).tensors;
    expect(read).toEqual(readSafetensors(weights).tensors);
    const prepared = await store.readJson(resolved.manifest, PreparedManifest);
    expect(prepared.preprocessing.scale.map(Math.fround)).toEqual(manifest.preprocessing.scale.map(Math.fround));
  });

  it.each<[string, () => Promise<AttackTarget>, string]>([
    [
      'was changed',
      async () => {
        const files = { ...version.files, [MODEL_FILES.onnx]: await store.put(Buffer.from('x'), { mediaType: 'x' }) };
        return resolve({ ...version, files });
      },
      'SIGNATURE_INVALID',
    ],
    ['has no signature', async () => resolve({ ...version, signature: await empty() }), 'SIGNATURE_MISSING'],
    [
      'was withdrawn',
      async () => resolve(await signedVersion({ withdrawn: { at: '2026-01-01T00:00:00Z', reason: 'failed' } })),
      'MODEL_VERSION_WITHDRAWN',
    ],
    [
      'is of other data',
      async () => resolve(await signedVersion({ dataSha256: 'e'.repeat(64) })),
      'DATASET_DIGEST_MISMATCH',
    ],
    ['takes a table', async () => resolve(await signedVersion({ table: true })), 'ATTACK_UNSUPPORTED'],
  ])('is refused when it %s', async (_, attempt, code) => {
    await expect(attempt()).rejects.toMatchObject({ code });
  });

  it('can be a candidate that is not registered', async () => {
    const onnx = version.files[MODEL_FILES.onnx] as ArtifactRef;
    const data = { manifest: await store.putJson(manifest) } as PreparedData;
    const exported: ExportedModel = { onnx, maxAbsDifference: 0, samples: 1 };
    const candidate = await inActivity(target().candidateTarget, { registerAs: 'tiny', model, data, exported });
    expect(candidate).toMatchObject({ model: 'tiny', digest: onnx.sha256, samples: 10_000 });
    expect(candidate.version).toBeUndefined();
  });
});

function empty(): Promise<ArtifactRef> {
  return store.put(new Uint8Array(0), { mediaType: 'application/json' });
}

describe('a measurement', () => {
  const finished = new Map<number, ArtifactRef>();
  const records: Omit<AttackRecord, 'id' | 'at'>[] = [];
  const { attackShard } = createAttackShardActivities({
    store,
    threads: 1,
    attacks: {
      finishedBatches: async () => finished,
      commitBatch: async ({ batch, ref }) => void finished.set(batch, ref),
    },
  });
  const { attackBaseline, summariseAttack, recordAttack } = measureActivities({
    store,
    attacks: {
      baseline: async () => undefined,
      append: async (record) => {
        records.push(record);
        return { ...record, id: 1, at: '' };
      },
    },
  });
  let attacked: AttackTarget;
  let shard: AttackShard;
  beforeAll(async () => {
    attacked = await resolve();
    shard = await inActivity(attackShard, {
      run,
      target: attacked,
      measurement,
      shard: 0,
      shards: 1,
      batches: [0],
    });
  });

  it('is one durable result a batch, which a repetition finds', async () => {
    expect(shard.batches).toEqual([finished.get(0)]);
    const again = await inActivity(attackShard, {
      run,
      target: attacked,
      measurement,
      shard: 0,
      shards: 1,
      batches: [0],
    });
    expect(again).toEqual(shard);
  });

  it('is summed up with what the served graph says, and kept', async () => {
    const { configSha256, measured } = await inActivity(summariseAttack, {
      target: attacked,
      measurement,
      shards: [shard],
    });
    expect(measured).toMatchObject({ samples: 60, served: { examples: 180 } });
    expect(measured.served.same).toBeGreaterThanOrEqual(178);
    expect(measured.worst[0]?.accuracy.value).toBeLessThanOrEqual(measured.clean.value);
    const baseline = await inActivity(attackBaseline, { target: attacked, measurement });
    expect(baseline).toEqual({ configSha256, batches: 1, baseline: undefined });
    await inActivity(recordAttack, { run, target: attacked, configSha256, measurement, measured });
    expect(records).toMatchObject([{ model: 'tiny', version: '3', digest: version.digest, workflowId: 'attack-1' }]);
  });

  it('of another network than the served one is refused', async () => {
    const ref = shard.batches[0] as ArtifactRef;
    const result = await store.readJson(ref, BatchResult);
    const turned = { ...result, clean: result.clean.map((label) => (label + 1) % 10) };
    const shards = [{ batches: [await store.putJson(turned)] }];
    const attempt = inActivity(summariseAttack, { target: attacked, measurement, shards });
    await expect(attempt).rejects.toMatchObject({ code: 'ATTACK_INPUT_INVALID' });
  });

  it('has a picture of one sample with both predictions', async () => {
    const { measured, configSha256 } = await inActivity(summariseAttack, {
      target: attacked,
      measurement,
      shards: [shard],
    });
    const svg = await pictureOf(
      {
        run,
        goal: { epsilon: 0.05, minRobustAccuracy: 0.5 },
        measurement,
        versions: [{ target: attacked, shards: [shard] }],
        attacked: { version: '3', digest: attacked.digest, configSha256, measured },
        hardened: [],
        reasons: [],
      },
      store,
    );
    expect(svg).toMatch(/version 3, pgd-3 at ε = 0\.05, test sample \d+: true \d/);
    expect(svg?.match(/predicted \d/g)).toHaveLength(2);
    expect(svg?.match(/<image /g)).toHaveLength(3);
  });
});

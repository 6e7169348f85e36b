import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createScoringActivities } from '../../activities/scoring/index.ts';
import type { ScoredShard, ScoreInput } from '../../contracts/batch-score.ts';
import { ModelConfig } from '../../contracts/model-config.ts';
import { MODEL_FILES } from '../../contracts/registry.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import {
  AliasLog,
  AuditLog,
  BatchScores,
  Datasets,
  MisuseFlags,
  ModelProtections,
  ModelRegistry,
  ServingSwitches,
  StepStore,
  UsageLimits,
  UsageLog,
} from '../../lib/clients/index.ts';
import { writeSafetensors } from '../../lib/ml/index.ts';
import { exportOnnx } from '../../lib/onnx/index.ts';
import { collectScores } from '../../lib/scoring/index.ts';
import { BUNDLE_MEDIA_TYPE, signModel, transitPublicKeys, transitSigner } from '../../lib/supplychain/index.ts';
import { peopleTable } from '../datasets/table/people.ts';
import { LocalTransit } from '../support/local-transit.ts';
import { createPrivateDatabase, type PrivateDatabase } from '../support/private-database.ts';
import { inActivity } from './support/in-activity.ts';

const ADA = { age: 50, 'weight in kg': 61.5, smokes: true, town: 'Ulm' };
const TENANT = 'default';

let database: PrivateDatabase;
let root: string;
let store: ArtifactStore;
let model: string;
let scores: BatchScores;
let keys: readonly string[];
let activities: ReturnType<typeof createScoringActivities>;
const transit = new LocalTransit();

beforeAll(async () => {
  database = await createPrivateDatabase();
  root = await mkdtemp(join(tmpdir(), 'saip-scoring-'));
  store = new ArtifactStore({ root });
  scores = new BatchScores(database.worker);
});
afterAll(async () => {
  await database.drop();
  await rm(root, { recursive: true });
});

/** A signed version of a model of people, which is the champion. */
beforeEach(async () => {
  model = `people-${randomUUID().slice(0, 8)}`;
  const manifest = await peopleTable(store, { rows: 200, seed: 5, task: 'classification' });
  const inputs = manifest.input.shape[0];
  const kernel = Float32Array.from({ length: inputs * 2 }, (_, index) => Math.sin(index));
  const weights = writeSafetensors(
    new Map([
      ['layers.0.kernel', { shape: [inputs, 2], data: kernel }],
      ['layers.0.bias', { shape: [2], data: Float32Array.of(0, 0.1) }],
    ]),
  );
  const network = ModelConfig.parse({ name: 'people', task: 'multiclass', layers: [{ type: 'dense', units: 2 }] });
  const graph = exportOnnx({ model: network, weights, manifest, dataSha256: '0'.repeat(64) });
  const interval = { value: 1, low: 1, high: 1 };
  const { columns, missing, labels } = manifest;
  const files = {
    [MODEL_FILES.onnx]: await store.put(graph, { mediaType: 'application/onnx' }),
    [MODEL_FILES.facts]: await store.putJson({
      ...{ version: 2, model, dataset: 'people', cardSha256: 'a'.repeat(64), dataSha256: 'b'.repeat(64), labels },
      evaluation: { samples: 1, accuracy: interval, macroF1: interval, logLoss: interval, ece: interval },
      ...{ export: { maxAbsDifference: 0, samples: 1 }, columns, missing },
    }),
  };
  const digests = Object.fromEntries(Object.entries(files).map(([path, { sha256 }]) => [path, sha256]));
  const { digest, bundle } = await signModel({ name: model, files: digests, signer: transitSigner(transit) });
  const signature = await store.put(Buffer.from(bundle), { mediaType: BUNDLE_MEDIA_TYPE });
  const run = { mlflowRunId: 'none', workflowId: 'test', metrics: {} };
  await new ModelRegistry(database.worker).register({ model, digest, files, signature, ...run });
  const change = { model, alias: 'champion', version: '1', workflowId: 'test', actor: 'test', reason: 'test' };
  await new AliasLog(database.worker).append({ ...change, operationId: randomUUID() });
  keys = await transitPublicKeys(transit);
  const { worker: pool, config } = database;
  activities = createScoringActivities({
    ...{ store, scores, registry: new ModelRegistry(pool), aliases: new AliasLog(pool), uploads: new Datasets(pool) },
    ...{ switches: new ServingSwitches(pool), limits: new UsageLimits(pool), protections: new ModelProtections(pool) },
    ...{ flags: new MisuseFlags(pool), audit: new AuditLog(pool), defaults: config, publicKeys: async () => keys },
  });
});

/** Sends a file, pins the champion and plans. */
async function planned(records: readonly object[], changes: Partial<ScoreInput> = {}) {
  const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
  const file = await store.put(Buffer.from(text), { mediaType: 'application/x-ndjson' });
  await new Datasets(database.api).noteUpload({ tenant: TENANT, ...file, uploadedBy: 'ann' });
  const input: ScoreInput = {
    ...{ model, alias: 'champion', file, format: 'ndjson', requestedBy: 'ann', roles: ['predictor'], tenant: TENANT },
    ...changes,
  };
  const pinned = await inActivity(activities.pinModel, { input });
  const { plan, shards } = await inActivity(activities.planScore, { input, pinned });
  const run = { key: `score-${randomUUID()}`, runId: 'run', requestedBy: 'ann' };
  const request = { run, input, pinned, plan };
  return { ...request, shards, shard: (shard: number) => inActivity(activities.scoreShard, { ...request, shard }) };
}

async function linesOf(ref: ScoredShard['predictions']): Promise<unknown[]> {
  const text = (await store.read(ref)).toString().trim();
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as unknown);
}

const limit = (dailyRows: number) =>
  new UsageLimits(database.api).set(TENANT, { kind: 'subject', name: 'ann', model, dailyRows }, 'test');
const used = async () => (await new UsageLog(database.api).list({ tenant: TENANT, days: 1, model }))[0];
const audited = async (action: string) =>
  (await new AuditLog(database.api).entries({ action, limit: 100 })).filter(({ subject }) => subject?.includes(model));

describe('a shard of a file', () => {
  it('is charged, scored and recorded once, however often it is tried', async () => {
    const { shard, run, shards, plan } = await planned([ADA, { age: 'old' }, { ...ADA, age: 51 }]);
    const first = await shard(0);
    expect(shards).toBe(1);
    expect(first).toMatchObject({ counts: { records: 3, scored: 2, refused: 1 } });
    expect(await shard(0)).toEqual(first);
    expect(await used()).toMatchObject({ subject: 'ann', requests: 1, rows: 3 });
    expect(await audited('model:infer')).toMatchObject([
      { actor: 'ann', decision: 'allow', detail: { rows: '3', shard: '1 of 1', workflowId: run.key } },
    ]);
    const joined = await inActivity(activities.joinScores, { run, plan });
    expect(await linesOf(joined.predictions)).toMatchObject([
      { record: 0, version: '1', label: expect.any(String) },
      { record: 2, version: '1' },
    ]);
    expect(await linesOf(joined.refused)).toMatchObject([
      { record: 1, line: 2, reason: expect.stringContaining('age') },
    ]);
  });

  it('is charged once where an attempt died before its result was kept', async () => {
    const { shard, run } = await planned([ADA]);
    const account = { tenant: TENANT, subject: 'ann', apiKey: '', model };
    const charge = { workflowId: run.key, shard: 0, account, records: 1, dailyRows: 1 };
    expect(await scores.charge(charge)).toEqual({ charged: true, window: 1 });
    await limit(1);
    expect(await shard(0)).toMatchObject({ counts: { scored: 1 } });
    expect(await used()).toMatchObject({ requests: 1, rows: 1 });
  });

  it('waits where the rows of the day do not suffice, and is not larger than a day allows', async () => {
    await limit(2);
    const { shard, shards } = await planned([ADA, ADA, ADA]);
    expect(shards).toBe(2);
    expect(await shard(0)).toMatchObject({ counts: { records: 2 } });
    expect(await shard(1)).toEqual({ waitSeconds: expect.any(Number) });
    await limit(3);
    expect(await shard(1)).toMatchObject({ counts: { records: 1 } });
  });

  it('hardens its answers, and flags who goes over the budget; a flagged caller gets no more', async () => {
    const settings = { labelsOnly: true, onFlag: 'stop' } as const;
    await new ModelProtections(database.api).set(model, { settings }, 'test');
    const budget = { kind: 'subject', name: 'ann', model, budgetRows: 1 } as const;
    await new UsageLimits(database.api).set(TENANT, budget, 'test');
    const { shard } = await planned([ADA, ADA]);
    const { predictions } = (await shard(0)) as ScoredShard;
    expect(await linesOf(predictions)).toMatchObject([{ probability: 1 }, { probability: 1 }]);
    expect(await audited('misuse:flag')).toMatchObject([{ detail: { kind: 'query-budget', rows: '2', budget: '1' } }]);
    const next = await planned([{ ...ADA, age: 52 }]);
    await expect(next.shard(0)).rejects.toMatchObject({ code: 'MISUSE_STOPPED' });
  });
});

describe('a version that must not score', () => {
  it('ends the run where it was withdrawn, unloaded, or is not what was signed', async () => {
    const { shard } = await planned([ADA]);
    await new ServingSwitches(database.api).add({ model, load: false, actor: 'test' });
    await expect(shard(0)).rejects.toMatchObject({ code: 'MODEL_UNLOADED' });
    await new ServingSwitches(database.api).add({ model, load: true, actor: 'test' });
    const trusted = keys;
    keys = await transitPublicKeys(new LocalTransit());
    await expect(shard(0)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
    keys = trusted;
    await new ModelRegistry(database.worker).withdraw({ model, version: '1', reason: 'a test' });
    await expect(shard(0)).rejects.toMatchObject({ code: 'MODEL_VERSION_WITHDRAWN' });
    expect(await used()).toBeUndefined();
  });

  it('is pinned: what the alias means later scores nothing', async () => {
    const { pinned } = await planned([ADA]);
    expect(pinned).toMatchObject({ model, version: '1' });
    const other = { ...pinned, digest: 'f'.repeat(64) };
    const { run, input, plan } = await planned([ADA]);
    const request = { run, input, plan, pinned: other, shard: 0 };
    await expect(inActivity(activities.scoreShard, request)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
  });
});

describe('what is stored', () => {
  it('is not used once it is gone or changed', async () => {
    const { shard, input } = await planned([{ ...ADA, age: 61 }]);
    const path = join(root, 'sha256', input.file.sha256.slice(0, 2), input.file.sha256);
    const text = await readFile(path, 'utf8');
    await rm(path);
    await expect(shard(0)).rejects.toMatchObject({ code: 'ARTIFACT_NOT_FOUND' });
    await writeFile(path, text.replace('61', '62'));
    await expect(shard(0)).rejects.toMatchObject({ code: 'ARTIFACT_DIGEST_MISMATCH' });
  });

  it('goes when its time is over, but for what somebody sent again', async () => {
    const { shard, run, plan } = await planned([{ ...ADA, age: 33 }]);
    await shard(0);
    const { predictions } = await inActivity(activities.joinScores, { run, plan });
    const options = { scores, steps: new StepStore(database.worker), artifacts: store };
    expect(await collectScores(options)).toBe(0);
    expect(await store.exists(predictions)).toBe(true);
    await new Datasets(database.api).noteUpload({ tenant: TENANT, ...predictions, uploadedBy: 'ann' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await collectScores({ ...options, days: 0 });
    expect(await store.exists(predictions)).toBe(true);
    expect(await scores.shards(run.key)).toEqual([]);
  });
});

import { createHmac } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ArtifactRef } from '../../contracts/reference.ts';
import type { StepAnswer, StepKeeping, StepQuery } from '../../contracts/step-cache.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { BaoError, Datasets, LineageLog, ModelRegistry, StepStore } from '../../lib/clients/index.ts';
import type { KeptStep } from '../../lib/clients/index.ts';
import { collectSteps, StepCache } from '../../lib/stepcache/index.ts';
import type { StepHmac } from '../../lib/stepcache/index.ts';
import { createPrivateDatabase, type PrivateDatabase } from '../support/private-database.ts';
import { ref } from '../workflows/support/refs.ts';

const DAYS = 30;
const MEDIA = { mediaType: 'application/octet-stream' };
const environment = { deviceClass: 'cpu-avx2', replicas: 2, threads: 1 };
const code = { sha256: ref('code').sha256, files: [], unchanged: async () => true };

let database: PrivateDatabase;
let root: string;
let artifacts: ArtifactStore;
let steps: StepStore;
let uploads: Datasets;
let cache: StepCache;
/** Keys of entries that nobody vouched for. */
const forged: string[] = [];

/** As OpenBao answers, under a key of the test. */
const hmac: StepHmac = async (text) => `vault:v1:${createHmac('sha256', 'a key').update(text).digest('base64')}`;

function cacheWith(seal: StepHmac): StepCache {
  const onForged = async ({ key }: KeptStep): Promise<void> => void forged.push(key);
  return new StepCache({ steps, artifacts, days: DAYS, hmac: seal, onForged });
}

beforeAll(async () => {
  database = await createPrivateDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.owner.query('TRUNCATE step_entries, step_workers, artifact_holders, dataset_uploads');
  forged.length = 0;
  root = mkdtempSync(join(tmpdir(), 'saip-steps-'));
  artifacts = new ArtifactStore({ root });
  steps = new StepStore(database.worker);
  uploads = new Datasets(database.api);
  cache = cacheWith(hmac);
  await announce();
});
afterEach(() => rmSync(root, { recursive: true }));

function announce(changes: object = {}): Promise<void> {
  const worker = { worker: 'gpu@host/1', pool: 'gpu' as const, environment, code: { train: code.sha256 } };
  return steps.announce({ ...worker, ...changes });
}

const args = { model: { name: 'tiny' }, seed: 42, data: { manifest: ref('manifest') } };
const query: StepQuery = { tenant: 'default', stage: 'train', args };

interface Output {
  readonly weights: ArtifactRef;
  readonly history: ArtifactRef;
  readonly steps: number;
  readonly seconds: number;
  readonly tags: Readonly<Record<string, string>>;
}

async function trained(text = 'weights'): Promise<Output> {
  const weights = await artifacts.put(Buffer.from(text), MEDIA);
  const history = await artifacts.put(Buffer.from(`history of ${text}`), MEDIA);
  return { weights, history, steps: 1, seconds: 1, tags: {} };
}

function keeping(workflowId: string, refresh = false): StepKeeping {
  return { tenant: 'default', workflowId, runId: `run of ${workflowId}`, refresh };
}

/** What a run would leave. */
async function keep(workflowId: string, output: object, changes: object = {}): Promise<boolean> {
  const step = { stage: 'train' as const, args, output, keeping: keeping(workflowId), environment, code, ...changes };
  return cache.keep(step);
}

const find = (changes: Partial<StepQuery> = {}): Promise<StepAnswer> => cache.find({ ...query, ...changes });

const pathOf = ({ sha256 }: ArtifactRef): string => join(root, 'sha256', sha256.slice(0, 2), sha256);

/** Lets every entry expire, and its artifacts look old. */
async function age(...refs: readonly ArtifactRef[]): Promise<void> {
  await database.owner.query(`UPDATE step_entries SET expires_at = clock_timestamp() - interval '1 second'`);
  for (const one of refs) utimesSync(pathOf(one), 0, 0);
}

describe('a kept result', () => {
  it('is found by the same question, with the run that made it', async () => {
    const output = await trained();
    expect(await keep('train-1', output)).toBe(true);
    expect(await find()).toEqual({ found: { workflowId: 'train-1', runId: 'run of train-1', output }, dropped: [] });
    const [entry] = await steps.list({ tenant: 'default', limit: 10 });
    expect(entry).toMatchObject({ stage: 'train', uses: 1, bytes: output.weights.bytes + output.history.bytes });
  });

  it('is found by no other question, tenant, code or environment', async () => {
    await keep('train-1', await trained());
    expect(await find({ args: { ...args, seed: 43 } })).toEqual({ dropped: [] });
    expect(await find({ tenant: 'other' })).toEqual({ dropped: [] });
    await announce({ code: { train: ref('new code').sha256 } });
    expect(await find()).toEqual({ dropped: [] });
    await announce({ environment: { ...environment, threads: 2 } });
    expect(await find()).toEqual({ dropped: [] });
    await announce();
    expect(await find()).toHaveProperty('found');
  });

  it('counts where any worker that lives would have made it, or the last one that did', async () => {
    await keep('train-1', await trained());
    await announce({ worker: 'gpu@other/1', environment: { ...environment, deviceClass: 'cuda-x' } });
    expect(await find()).toHaveProperty('found');
    // The first one is gone for a minute: what the other one would do is what counts.
    const ago = `UPDATE step_workers SET seen_at = clock_timestamp() - interval '1 minute'`;
    await database.owner.query(`${ago} WHERE worker = 'gpu@host/1'`);
    expect(await find()).toEqual({ dropped: [] });
    await database.owner.query(`${ago} WHERE worker = 'gpu@other/1'`);
    await announce();
    await database.owner.query(ago);
    expect(await find()).toHaveProperty('found');
  });

  it('stays the first one when two runs write at once', async () => {
    const written = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => keep(`train-${index}`, await trained(`weights ${index}`))),
    );
    expect(written.filter(Boolean)).toHaveLength(1);
    const winner = `train-${written.indexOf(true)}`;
    expect((await find()).found?.workflowId).toBe(winner);
    expect(await keep('train-later', await trained('later'))).toBe(false);
    expect((await find()).found?.workflowId).toBe(winner);
  });

  it('gives way where a stage was asked to run anew', async () => {
    await keep('train-1', await trained());
    expect(await keep('train-2', await trained(), { keeping: keeping('train-2', true) })).toBe(true);
    expect((await find()).found?.workflowId).toBe('train-2');
  });

  it('is not kept when the code changed under the worker, or it has another form', async () => {
    expect(await keep('train-1', await trained(), { code: { ...code, unchanged: async () => false } })).toBe(false);
    expect(await keep('train-1', { weights: 'none' })).toBe(false);
    expect(await find()).toEqual({ dropped: [] });
  });

  it('cannot be changed, and is written by workers alone', async () => {
    await keep('train-1', await trained());
    const change = `UPDATE step_entries SET output = '{}'`;
    await expect(database.owner.query(change)).rejects.toThrow('cannot be changed');
    await expect(database.worker.query(change)).rejects.toThrow('permission denied');
    await expect(database.api.query(`UPDATE step_entries SET uses = 9`)).rejects.toThrow('permission denied');
    await expect(database.api.query('INSERT INTO step_entries DEFAULT VALUES')).rejects.toThrow('permission denied');
  });
});

describe('an entry that nobody vouches for', () => {
  const other = `'${'a'.repeat(64)}'`;
  /** Written by somebody who has the rights of the owner, and no key. */
  const rewriteEntry = (change: string): Promise<unknown> =>
    database.owner.query(
      `BEGIN; ALTER TABLE step_entries DISABLE TRIGGER step_entries_fixed; UPDATE step_entries SET ${change};
       ALTER TABLE step_entries ENABLE TRIGGER step_entries_fixed; COMMIT`,
    );

  it.each([
    ['without an HMAC', 'mac = NULL'],
    ['with something else in its place', `mac = 'true'`],
    ['with the HMAC of another entry', `mac = 'vault:v1:${Buffer.alloc(32).toString('base64')}'`],
    ['that names other weights', `output = jsonb_set(output, '{weights,sha256}', to_jsonb(${other}::text))`],
    ['that names other artifacts', `artifacts = '[]'`],
    ['of another run', `workflow_id = 'train-2'`],
    ['of another tenant', `tenant = 'other'`],
    ['of other inputs', `material = jsonb_set(material, '{code}', to_jsonb(${other}::text))`],
  ])('%s: it is dropped, reported and made again', async (_, change) => {
    await keep('train-1', await trained());
    await rewriteEntry(change);
    const { found, dropped } = await find();
    expect(found).toBeUndefined();
    expect(dropped).toEqual([expect.stringContaining('nobody vouches for it')]);
    expect(forged).toHaveLength(1);
    expect(await keep('train-3', await trained())).toBe(true);
    expect((await find()).found?.workflowId).toBe('train-3');
    expect(forged).toHaveLength(1);
  });

  it('under a version of the key that there never was', async () => {
    await keep('train-1', await trained());
    cache = cacheWith(() => Promise.reject(new BaoError('SECRET_REJECTED', 'no such version')));
    expect((await find()).found).toBeUndefined();
    expect(forged).toHaveLength(1);
  });

  it('stays while nobody can say whether it is one', async () => {
    await keep('train-1', await trained());
    const seal = cache;
    cache = cacheWith(() => Promise.reject(new BaoError('SECRET_UNAVAILABLE', 'sealed')));
    await expect(find()).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
    cache = seal;
    expect(await find()).toHaveProperty('found');
  });
});

describe('an artifact of a kept result', () => {
  it.each([
    ['was deleted', (path: string) => rmSync(path), 'is not in the store'],
    ['was altered', (path: string) => rewrite(path, 'weighty'), 'were changed'],
    ['was cut off', (path: string) => rewrite(path, 'w'), 'were changed'],
  ])('%s: the entry goes, the reason is said, and the stage can leave another one', async (_, damage, reason) => {
    const output = await trained();
    await keep('train-1', output);
    damage(pathOf(output.weights));
    const answer = await find();
    expect(answer).toEqual({ dropped: [expect.stringMatching(new RegExp(`train-1 was dropped: .*${reason}`))] });
    expect(await steps.list({ tenant: 'default', limit: 10 })).toEqual([]);

    expect(await keep('train-2', await trained())).toBe(true);
    expect((await find()).found?.workflowId).toBe('train-2');
  });

  it('that only a manifest names counts too', async () => {
    const x = await artifacts.put(Buffer.from('samples'), MEDIA);
    const manifest = await artifacts.putJson({ splits: { train: { x } } });
    const output = { manifest, cardSha256: ref('card').sha256, dataSha256: ref('data').sha256 };
    await announce({ worker: 'cpu@host/1', pool: 'cpu', code: { prepareData: code.sha256 } });
    await keep('train-1', output, { stage: 'prepareData' });
    expect(await find({ stage: 'prepareData' })).toHaveProperty('found');
    rmSync(pathOf(x));
    expect((await find({ stage: 'prepareData' })).dropped).toHaveLength(1);
  });
});

function rewrite(path: string, text: string): void {
  chmodSync(path, 0o640);
  writeFileSync(path, text);
}

describe('an expired result', () => {
  it('is not used, and gives way to the next one', async () => {
    await keep('train-1', await trained());
    await age();
    expect(await find()).toEqual({ dropped: [] });
    expect(await keep('train-2', await trained())).toBe(true);
    expect((await find()).found?.workflowId).toBe('train-2');
  });

  it('is collected with its artifacts, and says how many bytes that freed', async () => {
    const output = await trained();
    await keep('train-1', output);
    expect(await collectSteps({ steps, uploads, artifacts })).toMatchObject({ entries: 0, freedBytes: 0 });
    await age(output.weights, output.history);
    expect(await collectSteps({ steps, uploads, artifacts })).toEqual({
      entries: 1,
      uploads: 0,
      artifacts: 2,
      freedBytes: output.weights.bytes + output.history.bytes,
      keptArtifacts: 0,
    });
    expect(await artifacts.exists(output.weights)).toBe(false);
  });

  it('leaves what a version, another result or MLflow names, and what was written just now', async () => {
    const registered = await artifacts.put(Buffer.from('registered'), MEDIA);
    const held = await artifacts.put(Buffer.from('held'), MEDIA);
    const shared = await artifacts.put(Buffer.from('shared'), MEDIA);
    const fresh = await artifacts.put(Buffer.from('fresh'), MEDIA);
    const output = { ...(await trained()), more: [registered, held, shared, fresh] };
    await keep('train-1', output);
    await age(output.weights, output.history, registered, held, shared);
    await new ModelRegistry(database.worker).register({
      ...{ model: 'kept', digest: ref('digest').sha256, files: { 'model.onnx': registered }, signature: ref('sig') },
      ...{ mlflowRunId: 'run', workflowId: 'train-1', metrics: {} },
    });
    await steps.hold([held.sha256], 'mlflow:run');
    await keep('train-2', { ...(await trained('other')), more: [shared] }, { args: { ...args, seed: 7 } });
    // The API's own login can do it, too.
    const collected = await collectSteps({ steps: new StepStore(database.api), uploads, artifacts });
    expect(collected).toMatchObject({ entries: 1, artifacts: 2, keptArtifacts: 4 });
    for (const one of [registered, held, shared, fresh]) expect(await artifacts.exists(one)).toBe(true);
  });
});

describe('a file that was sent for a data set', () => {
  const old = (): Promise<unknown> =>
    database.owner.query(`UPDATE dataset_uploads SET uploaded_at = clock_timestamp() - interval '2 days'`);
  const send = async (text: string, tenant = 'default'): Promise<ArtifactRef> => {
    const file = await artifacts.put(Buffer.from(text), { mediaType: 'text/csv' });
    await uploads.noteUpload({ ...file, tenant, uploadedBy: 'trainer-1' });
    utimesSync(pathOf(file), 0, 0);
    return file;
  };

  it('and never became one goes after a day, by the login of a worker, too', async () => {
    const file = await send('a,b\n1,2\n');
    const collect = () => collectSteps({ steps, uploads: new Datasets(database.worker), artifacts });
    expect(await collect()).toMatchObject({ uploads: 0, artifacts: 0 });
    await old();
    expect(await collect()).toMatchObject({ uploads: 1, artifacts: 1, freedBytes: file.bytes });
    expect(await artifacts.exists(file)).toBe(false);
    await expect(uploads.upload('default', file.sha256)).rejects.toMatchObject({ code: 'DATASET_UPLOAD_UNKNOWN' });
  });

  it('stays while it is asked for, while another tenant has sent it, and where it became one', async () => {
    const asked = await send('asked');
    const shared = await send('shared');
    const used = await send('used');
    await uploads.add({
      ...{ tenant: 'default', name: 'used', addedBy: 'trainer-1', contentSha256: ref('content').sha256 },
      write: async () => ({ card: ref('card'), file: used, profile: ref('profile') }),
    });
    await old();
    await send('shared', 'other');
    await uploads.upload('default', asked.sha256);
    expect(await collectSteps({ steps, uploads, artifacts })).toMatchObject({ uploads: 1, artifacts: 0 });
    for (const file of [asked, shared, used]) expect(await artifacts.exists(file)).toBe(true);
    await expect(uploads.upload('other', shared.sha256)).resolves.toEqual({ bytes: shared.bytes });
  });
});

describe('the lineage of a version', () => {
  const digest = ref('lineage digest').sha256;
  const said = {
    ...{ workflowId: 'train-a', runId: 'run-a', mlflowRunId: 'mlflow-a', outcome: 'registered' as const },
    ...{ dataset: 'mnist', cardSha256: ref('card').sha256, dataSha256: ref('data').sha256 },
    ...{ preparedSha256: ref('prepared').sha256, gitCommit: 'c'.repeat(40), codeSha256: ref('code').sha256 },
    ...{ weightsSha256: ref('weights').sha256, onnxSha256: ref('onnx').sha256 },
    reused: { train: { workflowId: 'train-0', runId: 'run-0' } },
  };

  it('is kept once a run, and answers both ways', async () => {
    const registry = new ModelRegistry(database.worker);
    const version = await registry.register({
      ...{ model: 'traced', digest, files: { 'model.onnx': ref('onnx') }, signature: ref('signature') },
      ...{ mlflowRunId: 'mlflow-a', workflowId: 'train-a', metrics: {} },
    });
    const log = new LineageLog(database.worker);
    await log.append(version, said);
    await log.append(version, { ...said, gitCommit: 'another' });
    await log.append(version, { ...said, workflowId: 'train-b', outcome: 'unchanged' });

    const reader = new LineageLog(database.api);
    const lineage = await reader.of('traced', version.version);
    expect(lineage).toMatchObject({ digest, signatureSha256: ref('signature').sha256, attacks: [], releases: [] });
    expect(lineage?.runs).toEqual([
      { ...said, at: expect.any(String) },
      { ...said, workflowId: 'train-b', outcome: 'unchanged', at: expect.any(String) },
    ]);
    const queries = [
      ...[said.dataSha256, said.cardSha256, said.preparedSha256.slice(0, 12), 'mnist'].map((data) => ({ data })),
      ...[said.gitCommit, said.codeSha256.slice(0, 8)].map((code) => ({ code })),
      ...['train-a', 'run-a', 'mlflow-a', 'train-b', 'train-0'].map((run) => ({ run })),
      ...[digest, said.weightsSha256, said.onnxSha256, ref('signature').sha256].map((sha) => ({ digest: sha })),
    ];
    for (const one of queries) {
      expect({ one, found: (await reader.search(one)).map(({ model }) => model) }).toEqual({ one, found: ['traced'] });
    }
    for (const one of [
      { data: 'c%' },
      { data: '____' },
      { run: 'train-c' },
      { release: 'train-a' },
      { code: 'dddddddd' },
    ]) {
      expect(await reader.search(one)).toEqual([]);
    }
    expect(await reader.of('traced', '9')).toBeUndefined();
  });

  it('cannot be changed', async () => {
    await expect(database.owner.query(`UPDATE model_lineage SET dataset = 'other'`)).rejects.toThrow('append-only');
  });
});

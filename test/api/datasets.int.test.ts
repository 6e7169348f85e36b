import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDataActivities } from '../../activities/data/index.ts';
import { DatasetDetail, DatasetList } from '../../contracts/api.ts';
import { AddDatasetResult, DatasetProfileView, Upload } from '../../contracts/own-data.ts';
import type { Role } from '../../contracts/roles.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { Datasets } from '../../lib/clients/index.ts';
import { cardDigest, datasetNames, parseCard } from '../../lib/datasets/index.ts';
import { createPrivateDatabase, type PrivateDatabase } from '../support/private-database.ts';
import { csv } from '../datasets/table/support/analysed.ts';
import { createNamespace } from './support/namespace.ts';
import { problemOf, startApi, type Answer, type TestApi } from './support/harness.ts';
import { copyClients } from './support/clients.ts';
import { until } from './support/until.ts';

const root = mkdtempSync(join(tmpdir(), 'saip-own-data-'));
let database: PrivateDatabase;
let api: TestApi;

beforeAll(async () => {
  database = await createPrivateDatabase();
  await copyClients(database);
  api = await startApi({
    TEMPORAL_NAMESPACE: await createNamespace(),
    SAIP_POSTGRES_DATABASE: database.config.postgres.database,
    SAIP_ARTIFACTS: root,
    SAIP_API_UPLOAD_MIB: '1',
  });
});

afterAll(async () => {
  await api.stop();
  await database.drop();
  rmSync(root, { recursive: true });
});

const content = csv('age,city,y', 60, (i) => `${i % 9},c${i % 4},${['no', 'yes'][i % 2] ?? ''}`);
const card = { licence: 'CC-BY-4.0', description: 'Orders.', creators: [{ type: 'Person', name: 'Ann' }] };

async function upload(body: string, role: Role = 'trainer', type = 'text/csv'): Promise<Answer> {
  return api.call('POST', '/v1/datasets/uploads', { role, body, headers: { 'content-type': type } });
}

async function add(name: string, body: string, changes: object = {}): Promise<Answer> {
  const { sha256 } = Upload.parse((await upload(body)).body);
  const json = { name, upload: sha256, file: 'orders.csv', table: { target: 'y' }, card, ...changes };
  return api.call('POST', '/v1/datasets', { role: 'trainer', json });
}

describe('a file', () => {
  it('is stored under its digest', async () => {
    const answer = await upload(content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    expect(answer).toMatchObject({ status: 201, body: { sha256, bytes: content.length } });
  });

  it('is refused to who may not, as another type, too large, and empty', async () => {
    expect((await upload(content, 'viewer')).status).toBe(403);
    expect(problemOf(await upload(content, 'trainer', 'application/json')).code).toBe('UNSUPPORTED_MEDIA_TYPE');
    expect(problemOf(await upload('x'.repeat(2 ** 20 + 1))).code).toBe('REQUEST_TOO_LARGE');
    expect(problemOf(await upload('')).code).toBe('REQUEST_INVALID');
  });

  it('leaves nothing where the client goes away', async () => {
    const before = readdirSync(join(root, 'tmp'));
    const outgoing = request(`${api.url}/v1/datasets/uploads`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await api.token('trainer')}`,
        'content-type': 'text/csv',
        'content-length': 500_000,
      },
    });
    outgoing.on('error', () => undefined);
    outgoing.write('x,y\n1,a\n');
    await until('a beginning', () => readdirSync(join(root, 'tmp')).length > before.length);
    outgoing.destroy();
    await until('its end', () => readdirSync(join(root, 'tmp')).length === before.length);
  });
});

describe('a data set', () => {
  const name = `orders-${randomUUID().slice(0, 8)}`;

  it('is made of a file, once for the same content', async () => {
    const first = await add(name, content);
    expect(first.status).toBe(201);
    const made = AddDatasetResult.parse(first.body);
    expect(made).toMatchObject({ created: true, dataset: { name, version: 1, addedBy: expect.any(String) } });
    expect(made.profile).toMatchObject({ rows: 60, balance: [{ label: 'no' }, { label: 'yes' }] });
    const again = AddDatasetResult.parse((await add(name, content)).body);
    expect(again).toEqual({ ...made, created: false });
    const next = AddDatasetResult.parse((await add(name, `${content}3,c1,no\n`)).body);
    expect(next.dataset.version).toBe(2);
  });

  it('is listed with its card and its profile', async () => {
    const { datasets } = DatasetList.parse((await api.call('GET', '/v1/datasets', { role: 'viewer' })).body);
    expect(datasets.map((dataset) => dataset.name)).toEqual([...datasetNames(), name]);
    const detail = DatasetDetail.parse((await api.call('GET', `/v1/datasets/${name}`, { role: 'viewer' })).body);
    expect(detail).toMatchObject({ version: 2, license: 'https://spdx.org/licenses/CC-BY-4.0' });
    expect(cardDigest(parseCard(detail.card, 'card'))).toBe(detail.cardSha256);
    const profile = await api.call('GET', `/v1/datasets/${name}/profile`, { role: 'viewer' });
    expect(DatasetProfileView.parse(profile.body)).toMatchObject({ name, version: 2, profile: { rows: 61 } });
    const builtIn = await api.call('GET', '/v1/datasets/mnist/profile', { role: 'viewer' });
    expect(problemOf(builtIn).code).toBe('NOT_FOUND');
  });

  it('is verified and prepared by the worker', async () => {
    const store = new ArtifactStore({ root });
    const activities = createDataActivities({ store, added: new Datasets(database.worker) });
    const detail = DatasetDetail.parse((await api.call('GET', `/v1/datasets/${name}`, { role: 'viewer' })).body);
    expect(await activities.verifyDataCard({ dataset: name })).toMatchObject({ cardSha256: detail.cardSha256 });
    const { counts, dataSha256 } = await activities.prepareData({ dataset: name, seed: 1, validationShare: 0.1 });
    expect(counts.train + counts.validation + counts.test).toBe(61);
    expect(dataSha256).toBe((await activities.verifyDataCard({ dataset: name })).dataSha256);
    await expect(activities.verifyDataCard({ dataset: 'nobody-s' })).rejects.toMatchObject({ code: 'DATASET_UNKNOWN' });
  });

  it('is refused with everything that is wrong with its table', async () => {
    const problem = problemOf(await add('broken', `${content}1\n,c9,\n`));
    expect(problem).toMatchObject({ code: 'DATASET_TABLE_INVALID', status: 422 });
    expect(problem.errors).toEqual([
      { field: 'orders.csv line 62', message: expect.stringContaining('1 cells, but the header has 3') },
    ]);
    const columns = problemOf(
      await add(
        'broken',
        csv('a,b,y', 60, (i) => `text number ${i},2026-01-01 0${i % 9}:00,${i % 2}`),
      ),
    );
    expect(columns.errors?.map(({ field }) => field)).toEqual([
      'orders.csv line 2, column "a"',
      'orders.csv, column "b"',
    ]);
  });

  it.each([
    ['a built-in name', 'mnist', {}, 'DATASET_NAME_TAKEN'],
    ['a name that is a path of the API', 'uploads', {}, 'DATASET_NAME_TAKEN'],
    ['an unknown licence', 'free', { card: { ...card, licence: 'free' } }, 'DATASET_CARD_INVALID'],
    ['a file that nobody sent', 'unsent', { upload: 'a'.repeat(64) }, 'DATASET_UPLOAD_UNKNOWN'],
    ['no creator', 'nobody', { card: { ...card, creators: [] } }, 'REQUEST_INVALID'],
  ])('is refused with %s', async (_, taken, changes, code) => {
    expect(problemOf(await add(taken, content, changes)).code).toBe(code);
  });

  it('is not made of an artifact that was not sent as a file', async () => {
    const { sha256 } = await new ArtifactStore({ root }).put(Buffer.from('secret,y\n'), { mediaType: 'text/csv' });
    expect(problemOf(await add('stolen', content, { upload: sha256 })).code).toBe('DATASET_UPLOAD_UNKNOWN');
  });

  it('is withdrawn, and may be added again', async () => {
    expect((await api.call('DELETE', `/v1/datasets/${name}`, { role: 'viewer' })).status).toBe(403);
    expect((await api.call('DELETE', `/v1/datasets/${name}`, { role: 'trainer' })).status).toBe(204);
    for (const method of ['GET', 'DELETE']) {
      const answer = await api.call(method, `/v1/datasets/${name}`, { role: 'trainer' });
      expect(problemOf(answer).code).toBe('DATASET_UNKNOWN');
    }
    expect(AddDatasetResult.parse((await add(name, content)).body)).toMatchObject({
      created: true,
      dataset: { version: 3 },
    });
  });
});

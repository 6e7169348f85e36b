import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiKeyCreated, ApiKeyList } from '../../contracts/api-keys.ts';
import { AuditLog } from '../../lib/clients/index.ts';
import { openResources } from '../../workers/shared/resources.ts';
import { problemOf, startApi, type TestApi } from './support/harness.ts';

let api: TestApi;
let second: TestApi;

beforeAll(async () => {
  api = await startApi();
  second = await startApi();
});
afterAll(async () => {
  await Promise.all([api.stop(), second.stop()]);
});

async function create(json: object = {}, role: 'predictor' | 'viewer' | 'admin' = 'viewer'): Promise<ApiKeyCreated> {
  const body = { name: 'test', roles: [role], actions: ['model:read', 'dataset:read'], ...json };
  const answer = await api.call('POST', '/v1/api-keys', { role, json: body });
  expect(answer.status).toBe(201);
  return ApiKeyCreated.parse(answer.body);
}

const status = async (key: string, path = '/v1/datasets', on = api): Promise<number> =>
  (await on.call('GET', path, { token: key })).status;

describe('an API key', () => {
  it('works as a bearer token and in X-API-Key, but not both', async () => {
    const { key } = await create();
    expect(await status(key)).toBe(200);
    const headers = { 'x-api-key': key };
    expect((await api.call('GET', '/v1/datasets', { headers })).status).toBe(200);
    expect((await api.call('GET', '/v1/datasets', { headers, role: 'viewer' })).status).toBe(401);
  });

  it('is shown once, and stored nowhere', async () => {
    const { id, key } = await create({ name: 'shown once' });
    const answer = await api.call('GET', '/v1/api-keys', { role: 'viewer' });
    const found = ApiKeyList.parse(answer.body).keys.find((entry) => entry.id === id);
    expect(found).toMatchObject({ name: 'shown once', owner: 'local-viewer', roles: ['viewer'] });
    expect(JSON.stringify(answer.body)).not.toContain(key.slice(-51));
    const resources = openResources(api.config);
    const { rows } = await (await resources.database()).query('SELECT * FROM api_keys WHERE id = $1', [id]);
    expect(JSON.stringify(rows)).not.toContain(key.slice(-51));
    expect(rows).toMatchObject([{ hash: expect.stringMatching(/^vault:v1:/) }]);
    await resources.close();
  });

  it('does what it was made for and nothing else, whatever its owner may do', async () => {
    const { key, id } = await create({ actions: ['model:read'], models: ['mnist-one'] }, 'admin');
    expect(await status(key, '/v1/models/mnist-one')).toBe(404);
    for (const path of ['/v1/models/mnist-two', '/v1/models', '/v1/datasets', '/v1/api-keys', '/v1/workflows']) {
      expect([path, await status(key, path)]).toEqual([path, 403]);
    }
    const another = await api.call('POST', '/v1/api-keys', { token: key, json: { name: 'x', roles: ['admin'] } });
    expect(another.status).toBe(403);
    const resources = openResources(api.config);
    const log = new AuditLog(await resources.database());
    const [entry] = await log.entries({ actor: 'local-admin', subject: 'POST /v1/api-keys', limit: 1 });
    expect(entry).toMatchObject({ decision: 'deny', detail: { apiKey: id, rule: 'deny:key-by-key' } });
    await resources.close();
  });

  it('for one model predicts with that one alone', async () => {
    const { key } = await create({ roles: ['predictor'], actions: ['model:infer'], models: ['mnist-one'] }, 'admin');
    for (const path of ['/v2/models/NAME/infer', '/v1/models/NAME/predict']) {
      const json = path.startsWith('/v2')
        ? { inputs: [{ name: 'image', shape: [1, 1], datatype: 'FP32', data: [0] }] }
        : { records: [{ x: 1 }] };
      const post = async (model: string): Promise<[string, number]> => {
        const url = path.replace('NAME', model);
        return [url, (await api.call('POST', url, { token: key, json })).status];
      };
      // Allowed, and not there.
      expect(await post('mnist-one')).toEqual([expect.any(String), 404]);
      expect(await post('mnist-two')).toEqual([expect.any(String), 403]);
    }
  });

  it('has no more than the roles of its owner', async () => {
    const json = { name: 'x', roles: ['viewer', 'admin'] };
    expect((await api.call('POST', '/v1/api-keys', { role: 'viewer', json })).status).toBe(403);
  });

  it.each([
    ['an action that keys never have', { actions: ['workflow:approve'] }, 'body.actions[0]'],
    ['no name', { name: '' }, 'body.name'],
    ['a life of years', { expiresInDays: 3650 }, 'body.expiresInDays'],
    ['a role twice', { roles: ['viewer', 'viewer'] }, 'body.roles'],
    ['an unknown field', { secret: 'mine' }, 'body.secret'],
  ])('is not made with %s', async (_, json, field) => {
    const answer = await api.call('POST', '/v1/api-keys', { role: 'viewer', json: { name: 'x', ...json } });
    expect(answer.status).toBe(400);
    expect(problemOf(answer).errors?.map((error) => error.field)).toContain(field);
  });

  it('is of no use within five seconds of its revocation, on every process', async () => {
    const { id, key } = await create();
    expect([await status(key), await status(key, '/v1/datasets', second)]).toEqual([200, 200]);
    expect((await api.call('DELETE', `/v1/api-keys/${id}`, { role: 'viewer' })).status).toBe(204);
    expect(await status(key)).toBe(401);
    const deadline = Date.now() + 5_000;
    while ((await status(key, '/v1/datasets', second)) === 200 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(await status(key, '/v1/datasets', second)).toBe(401);
    expect((await api.call('POST', `/v1/api-keys/${id}/rotate`, { role: 'viewer' })).status).toBe(409);
  });

  it('is rotated with an overlap, or without', async () => {
    const first = await create();
    const rotate = async (json: object): Promise<ApiKeyCreated> => {
      const answer = await api.call('POST', `/v1/api-keys/${first.id}/rotate`, { role: 'viewer', json });
      return ApiKeyCreated.parse(answer.body);
    };
    const next = await rotate({});
    expect(next).toMatchObject({ id: first.id, formerUntil: expect.any(String) });
    expect([await status(first.key), await status(next.key)]).toEqual([200, 200]);
    const last = await rotate({ overlapSeconds: 0 });
    expect([await status(first.key), await status(next.key), await status(last.key)]).toEqual([401, 401, 200]);
  });

  it('is the business of its owner and of administrators', async () => {
    const { id } = await create();
    const remove = (role: 'predictor' | 'admin') => api.call('DELETE', `/v1/api-keys/${id}`, { role });
    expect((await remove('predictor')).status).toBe(403);
    expect((await api.call('GET', '/v1/api-keys/all', { role: 'viewer' })).status).toBe(403);
    const all = ApiKeyList.parse((await api.call('GET', '/v1/api-keys/all', { role: 'admin' })).body);
    expect(all.keys.map((key) => key.id)).toContain(id);
    expect((await remove('admin')).status).toBe(204);
    expect((await api.call('DELETE', '/v1/api-keys/aaaaaaaaaaaa', { role: 'admin' })).status).toBe(404);
  });
});

describe('a revoked access token', () => {
  it('is of no use within five seconds, on every process', async () => {
    const { saip } = { saip: await api.call('GET', '/v1/datasets', { role: 'redteam' }) };
    expect(saip.status).toBe(200);
    const token = await api.token('redteam');
    const revoke = () => api.call('POST', '/v1/auth/revoke', { body: new URLSearchParams({ token }) });
    expect((await revoke()).status).toBe(200);
    expect(await status(token)).toBe(401);
    // RFC 7009: what is worth nothing is no error.
    expect((await revoke()).status).toBe(200);
    const garbage = await api.call('POST', '/v1/auth/revoke', { json: { token: 'garbage' } });
    expect(garbage.status).toBe(200);
  });
});

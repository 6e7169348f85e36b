import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import { ApiKeyCreated } from '../../contracts/api-keys.ts';
import { WorkflowStarted } from '../../contracts/api.ts';
import { MisuseFlags } from '../../lib/clients/index.ts';
import { openResources } from '../../workers/shared/resources.ts';
import { BAD_BODIES, schedule } from './support/bad-bodies.ts';
import { createNamespace } from './support/namespace.ts';
import { problemOf, startApi, type TestApi } from './support/harness.ts';

let api: TestApi;
let workflow: string;
let apiKey: string;
let flag: number;

beforeAll(async () => {
  api = await startApi({ TEMPORAL_NAMESPACE: await createNamespace() });
  const { body } = await api.call('POST', '/v1/workflows/train-register-deploy', {
    role: 'trainer',
    json: { model: 'mnist-softmax' },
  });
  workflow = WorkflowStarted.parse(body).workflowId;
  // What policy is told about a schedule is looked up before its body is read.
  await api.call('POST', '/v1/schedules', { role: 'trainer', json: { ...schedule, paused: true } });
  const key = await api.call('POST', '/v1/api-keys', { role: 'admin', json: { name: 'x', roles: ['admin'] } });
  apiKey = ApiKeyCreated.parse(key.body).id;
  flag = await raiseFlag();
});

afterAll(() => api.stop());

/** An open flag, whose caller policy is asked about before the body is read. */
async function raiseFlag(): Promise<number> {
  const resources = openResources(api.config);
  try {
    const flags = new MisuseFlags(await resources.database());
    const caller = { tenant: 'default', subject: 'somebody', model: 'bad-requests' };
    await flags.raise({ ...caller, kind: 'query-budget', evidence: { rows: 2, budget: 1 } });
    return (await flags.list({ ...caller, all: false, limit: 1 }))[0]?.id ?? 0;
  } finally {
    await resources.close();
  }
}

/** Values for the parameters of a path. */
function pathOf(path: string): string {
  return path
    .replace('/workflows/{id}', `/workflows/${workflow}`)
    .replace('/api-keys/{id}', `/api-keys/${apiKey}`)
    .replace('/flags/{id}', `/flags/${flag}`)
    .replace('{id}', 'nightly')
    .replace('{name}', 'mnist-cnn')
    .replace('{model}', 'mnist-cnn')
    .replace('{version}', '1');
}

const JSON_ROUTES = Object.keys(BAD_BODIES);

describe('a bad body', () => {
  it('has a case for every route that takes one', () => {
    const withBody = api.routes.filter(({ body }) => body).map(({ method, path }) => `${method} ${path}`);
    expect(withBody.sort()).toEqual(Object.keys(BAD_BODIES).sort());
  });

  const cases = Object.entries(BAD_BODIES).flatMap(([route, bodies]) =>
    bodies.map(([body, field]) => [route, field, body] as const),
  );
  it.each(cases)('of %s is refused, naming %s', async (route, field, json) => {
    const [method = '', path = ''] = route.split(' ');
    const answer = await api.call(method.toUpperCase(), pathOf(path), { role: 'admin', json });
    expect(answer.status).toBe(400);
    const { code, errors } = problemOf(answer);
    expect(code).toBe('REQUEST_INVALID');
    expect(errors?.map((error) => error.field)).toContain(field);
  });

  it.each(JSON_ROUTES)('of %s that is no JSON is refused', async (route) => {
    const [method = '', path = ''] = route.split(' ');
    const headers = { 'content-type': 'application/json' };
    const answer = await api.call(method.toUpperCase(), pathOf(path), { role: 'admin', headers, body: '{"a":' });
    expect(answer.status).toBe(400);
    expect(problemOf(answer)).toMatchObject({ code: 'REQUEST_INVALID', errors: [{ field: 'body' }] });
  });

  it.each(JSON_ROUTES)('of %s in another media type is refused', async (route) => {
    const [method = '', path = ''] = route.split(' ');
    const headers = { 'content-type': 'text/plain' };
    const answer = await api.call(method.toUpperCase(), pathOf(path), { role: 'admin', headers, body: 'hello' });
    expect(answer.status).toBe(415);
    expect(problemOf(answer).errors).toEqual([expect.objectContaining({ field: 'header.content-type' })]);
  });

  it.each(JSON_ROUTES)('of %s that is no object is refused', async (route) => {
    const [method = '', path = ''] = route.split(' ');
    for (const json of [null, [], 'text', 7]) {
      const answer = await api.call(method.toUpperCase(), pathOf(path), { role: 'admin', json });
      expect(answer.status).toBe(400);
      expect(problemOf(answer).errors?.length).toBeGreaterThan(0);
    }
  });

  it('that is too large is refused with 413', async () => {
    const json = { model: 'm', reason: 'x'.repeat(300 * 1024) };
    const answer = await api.call('POST', '/v1/workflows/rollback', { role: 'admin', json });
    expect(answer.status).toBe(413);
    expect(problemOf(answer).code).toBe('REQUEST_TOO_LARGE');
  });

  it('that is missing is refused', async () => {
    const answer = await api.call('POST', '/v1/workflows/rollback', { role: 'admin' });
    expect(answer.status).toBe(400);
    expect(problemOf(answer).errors).toEqual([expect.objectContaining({ field: 'body' })]);
  });

  it('with a broken length is refused', async () => {
    const status = await new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': '5' };
      const outgoing = request(`${api.url}/v1/auth/token`, { method: 'POST', headers }, (answer) => {
        resolve(answer.statusCode);
      });
      outgoing.on('error', reject);
      outgoing.end('{"a":');
    });
    expect(status).toBe(400);
  });
});

describe('a bad path, query or header', () => {
  it.each([
    ['/v1/workflows?limit=0', 'query.limit'],
    ['/v1/workflows?limit=1000', 'query.limit'],
    ['/v1/workflows?limit=many', 'query.limit'],
    ['/v1/workflows?limit=1&limit=2', 'query.limit'],
    ['/v1/workflows?type=evil', 'query.type'],
    ['/v1/workflows?status=odd', 'query.status'],
    [`/v1/workflows?model=${encodeURIComponent("x' OR ''='")}`, 'query.model'],
    ['/v1/workflows?pageToken=%20', 'query.pageToken'],
    ['/v1/workflows?sort=asc', 'query.sort'],
    ['/v1/models?pageToken=!!', 'query.pageToken'],
    ['/v1/models/UPPER', 'path.name'],
    ['/v1/models/m/versions?pageToken=YWJj', 'query.pageToken'],
    ['/v1/models/m/history?at=yesterday', 'query.at'],
    ['/v1/models/m/history?alias=A', 'query.alias'],
    ['/v1/datasets/..%2F..', 'path.name'],
    ['/v1/schedules/UPPER', 'path.id'],
    ['/v1/usage?days=0', 'query.days'],
    ['/v1/misuse/flags?all=perhaps', 'query.all'],
    ['/v1/misuse/flags?pageToken=!!', 'query.pageToken'],
    ['/v2/models/a@b@c', 'path.model'],
    ['/v2/models/a@', 'path.model'],
  ])('%s is refused, naming %s', async (path, field) => {
    const answer = await api.call('GET', path, { role: 'admin' });
    expect(answer.status).toBe(400);
    expect(problemOf(answer).errors?.map((error) => error.field)).toContain(field);
  });

  it('is an Idempotency-Key with spaces or without end', async () => {
    for (const key of ['a b', 'x'.repeat(129)]) {
      const answer = await api.call('POST', '/v1/workflows/train-register-deploy', {
        role: 'trainer',
        headers: { 'idempotency-key': key },
        json: { model: 'mnist-cnn' },
      });
      expect(answer.status).toBe(400);
      expect(problemOf(answer).errors).toEqual([expect.objectContaining({ field: 'header.idempotency-key' })]);
    }
  });

  it('gives 404 with a problem, and on /v2 the error of the protocol', async () => {
    expect(problemOf(await api.call('GET', '/v1/nothing'))).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    const { detail, error } = problemOf(await api.call('GET', '/v2/models/nope', { role: 'predictor' }));
    expect(error).toBe(detail);
  });

  it('gives 405 with the methods that there are', async () => {
    const answer = await api.call('DELETE', '/v1/models/m', { role: 'admin' });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
    expect(problemOf(answer).code).toBe('METHOD_NOT_ALLOWED');
  });

  it('keeps the trace id of the caller', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    expect(problemOf(await api.call('GET', '/v1/nothing', { headers })).traceId).toBe(traceId);
  });
});

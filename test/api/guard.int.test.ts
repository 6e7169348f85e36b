/** @jest-environment ./test/support/ort-environment.js */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { LimitList, UsageList } from '../../contracts/limits.ts';
import { FlagList, MisuseFlag, ProtectionList } from '../../contracts/misuse.ts';
import { InferResponse } from '../../contracts/inference.ts';
import { AuditLog } from '../../lib/clients/index.ts';
import { openResources } from '../../workers/shared/resources.ts';
import { OidcIssuer } from '../support/oidc-issuer.ts';
import { problemOf, startApi, type Answer, type TestApi } from './support/harness.ts';
import { linearModel } from './support/onnx-models.ts';
import { openRegistry, type TestRegistry } from './support/registry.ts';
import { until } from './support/until.ts';

let api: TestApi;
let second: TestApi;
let registry: TestRegistry;
let issuer: OidcIssuer;

beforeAll(async () => {
  issuer = await OidcIssuer.start();
  registry = await openRegistry();
  const trust = { name: 'corp', issuer: issuer.url, audience: 'saip-api', roles: { users: ['predictor'] } };
  api = await startApi({ SAIP_OIDC_ISSUERS: JSON.stringify([trust]) });
  second = await startApi();
});
afterAll(async () => {
  await Promise.all([api.stop(), second.stop()]);
  await Promise.all([registry.close(), issuer.stop()]);
});

/** A model of its own, served by both processes. */
async function served(): Promise<string> {
  const model = `guarded-${randomUUID().slice(0, 8)}`;
  const { version } = await registry.register(model, linearModel({ bias: 0 }));
  await registry.alias(model, 'champion', version);
  for (const on of [api, second]) {
    await until(`${model} is served`, async () => {
      return (await on.call('GET', `/v2/models/${model}/ready`, { role: 'predictor' })).status === 200;
    });
  }
  return model;
}

const body = (rows: readonly number[][] = [[1, 2, 3, 4]]) => ({
  inputs: [{ name: 'x', shape: [rows.length, 4], datatype: 'FP32', data: rows.flat() }],
});
const infer = (model: string, { on = api, rows, ...options }: Call = {}): Promise<Answer> =>
  on.call('POST', `/v2/models/${model}/infer`, { role: 'predictor', json: body(rows), ...options });
interface Call {
  readonly on?: TestApi;
  readonly rows?: readonly number[][];
  readonly token?: string;
  readonly role?: 'predictor' | 'admin' | 'trainer';
}
const set = async (path: string, json: object): Promise<unknown> => {
  const answer = await api.call('POST', path, { role: 'admin', json });
  expect(answer.status).toBe(200);
  return answer.body;
};
const ann = { kind: 'subject', name: 'local-predictor' };

async function lastRecord(actor: string, action: string): Promise<unknown> {
  const resources = openResources(api.config);
  try {
    const log = new AuditLog(await resources.database());
    return (await log.entries({ actor, action, limit: 1 }))[0];
  } finally {
    await resources.close();
  }
}

describe('a limit', () => {
  it('of a rate refuses with the time to wait, and is removed', async () => {
    const model = await served();
    await set('/v1/limits', { ...ann, model, rate: 0.01, burst: 2 });
    const answers = [await infer(model), await infer(model), await infer(model)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers[0]?.headers.get('ratelimit-policy')).toBe('"requests";q=2;w=200');
    const refused = answers[2] as Answer;
    expect(problemOf(refused)).toMatchObject({ code: 'RATE_LIMITED', error: expect.stringContaining(model) });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(90);
    expect(refused.headers.get('ratelimit')).toMatch(/^"requests";r=0;t=\d+$/);
    const { body: text } = await api.call('GET', '/metrics', { role: 'viewer' });
    expect(text).toContain(`saip_guard_refused_total{model="${model}",code="RATE_LIMITED",service="api"} 1`);
    expect(text).toContain(`saip_usage_requests_total{principal="local-predictor",model="${model}",service="api"} 2`);
    const removed = await api.call('POST', '/v1/limits/remove', { role: 'admin', json: { ...ann, model } });
    expect(removed.status).toBe(204);
    expect((await infer(model)).status).toBe(200);
    const again = await api.call('POST', '/v1/limits/remove', { role: 'admin', json: { ...ann, model } });
    expect(problemOf(again).code).toBe('LIMIT_UNKNOWN');
  });

  it('of rows holds over all processes, and what was asked is kept', async () => {
    const model = await served();
    await set('/v1/limits', { ...ann, model, dailyRows: 5 });
    expect(
      (
        await infer(model, {
          rows: [
            [1, 2, 3, 4],
            [5, 6, 7, 8],
            [9, 8, 7, 6],
          ],
        })
      ).status,
    ).toBe(200);
    await until('the other process knows the limit and the usage', async () => {
      const answer = await infer(model, {
        on: second,
        rows: [
          [1, 1, 1, 1],
          [2, 2, 2, 2],
          [3, 3, 3, 3],
        ],
      });
      return answer.status === 429 && problemOf(answer).code === 'QUOTA_EXCEEDED';
    });
    const path = `/v1/usage?model=${model}&subject=local-predictor`;
    await until('both processes have written their counts', async () => {
      const { usage } = UsageList.parse((await api.call('GET', path, { role: 'auditor' })).body);
      return (usage[0]?.rows ?? 0) >= 3 && (usage[0]?.refused ?? 0) >= 1;
    });
    expect((await api.call('GET', path, { role: 'predictor' })).status).toBe(403);
  });

  it('is set by administrators, and shown with the defaults', async () => {
    const refused = await api.call('POST', '/v1/limits', { role: 'predictor', json: { kind: 'everybody', rate: 0 } });
    expect(refused.status).toBe(403);
    await set('/v1/limits', { kind: 'role', name: 'viewer', rate: 7 });
    const list = LimitList.parse((await api.call('GET', '/v1/limits', { role: 'auditor' })).body);
    expect(list.defaults).toMatchObject({ rate: 5_000, budgetRows: 100_000 });
    expect(list.limits).toContainEqual(
      expect.objectContaining({ kind: 'role', name: 'viewer', rate: 7, setBy: 'local-admin' }),
    );
    await api.call('POST', '/v1/limits/remove', { role: 'admin', json: { kind: 'role', name: 'viewer' } });
  });
});

describe('a protected model', () => {
  it('tells labels alone, but to a role that may know more, and the record says so', async () => {
    const model = await served();
    const path = `/v1/models/${model}/protection`;
    await set(path, { settings: { labelsOnly: true } });
    await set(path, { role: 'trainer', settings: { labelsOnly: false, decimals: 1 } });
    const plain = InferResponse.parse((await infer(model)).body);
    expect(plain).toMatchObject({ parameters: { hardening: 'labels-only' } });
    expect(plain.outputs.find(({ name }) => name === 'score')?.data).toEqual([1, 0]);
    expect(await lastRecord('local-predictor', 'model:infer')).toMatchObject({ detail: { guard: 'labels-only' } });
    const told = InferResponse.parse((await infer(model, { role: 'trainer' })).body);
    expect(told.outputs.find(({ name }) => name === 'score')?.data).toEqual([10, 9]);
    const list = ProtectionList.parse(await set(path, { settings: {} }));
    expect(list.protections.map(({ role }) => role)).toEqual(['trainer']);
    expect((await api.call('GET', path, { role: 'predictor' })).status).toBe(403);
    expect(
      (await api.call('POST', '/v1/models/nobody/protection', { role: 'admin', json: { settings: {} } })).status,
    ).toBe(404);
  });

  it('stops a caller whose queries are derived from one another, until a person lifts the flag', async () => {
    const model = await served();
    await set(`/v1/models/${model}/protection`, { settings: { onFlag: 'stop' } });
    // Pairs: a point somewhere, and one a small step away from it.
    const pairs = Array.from({ length: 300 }, (_, index) => {
      const point = [7, 11, 13, 17].map((factor) => Math.sin(index * factor) * 100);
      return [point, point.map((value) => value + 0.1)];
    }).flat();
    expect((await infer(model, { rows: pairs })).status).toBe(200);
    await until('the caller is stopped', async () => (await infer(model)).status === 403);
    expect(problemOf(await infer(model)).code).toBe('MISUSE_STOPPED');
    await until('the other process stops it, too', async () => (await infer(model, { on: second })).status === 403);
    expect((await infer(model, { role: 'trainer' })).status).toBe(200);
    const list = FlagList.parse((await api.call('GET', `/v1/misuse/flags?model=${model}`, { role: 'auditor' })).body);
    expect(list.flags).toMatchObject([{ subject: 'local-predictor', kind: 'distance-distribution' }]);
    const [flag] = list.flags;
    expect(flag?.evidence['w']).toBeLessThan(0.95);
    expect(await lastRecord('local-predictor', 'misuse:flag')).toMatchObject({ subject: `model:${model}` });
    const lift = (role: 'auditor' | 'admin') =>
      api.call('POST', `/v1/misuse/flags/${flag?.id ?? 0}/lift`, { role, json: { reason: 'a test' } });
    expect((await lift('auditor')).status).toBe(403);
    expect(MisuseFlag.parse((await lift('admin')).body)).toMatchObject({
      liftedBy: 'local-admin',
      liftReason: 'a test',
    });
    expect(problemOf(await lift('admin')).code).toBe('MISUSE_FLAG_LIFTED');
    for (const on of [api, second]) {
      await until('the caller may ask again', async () => (await infer(model, { on })).status === 200);
    }
  });

  it('is given back to nobody by the flagged person', async () => {
    const model = await served();
    await set('/v1/limits', { kind: 'subject', name: 'local-admin', model, budgetRows: 1 });
    await infer(model, {
      role: 'admin',
      rows: [
        [1, 2, 3, 4],
        [2, 3, 4, 5],
      ],
    });
    const path = `/v1/misuse/flags?model=${model}`;
    await until('the flag is kept', async () => {
      return FlagList.parse((await api.call('GET', path, { role: 'auditor' })).body).flags.length === 1;
    });
    const [flag] = FlagList.parse((await api.call('GET', path, { role: 'auditor' })).body).flags;
    expect(flag).toMatchObject({ kind: 'query-budget', evidence: { rows: 2, budget: 1 } });
    const own = await api.call('POST', `/v1/misuse/flags/${flag?.id ?? 0}/lift`, {
      role: 'admin',
      json: { reason: 'x' },
    });
    expect(own.status).toBe(403);
    const unknown = await api.call('POST', '/v1/misuse/flags/2000000000/lift', {
      role: 'admin',
      json: { reason: 'x' },
    });
    expect(problemOf(unknown).code).toBe('MISUSE_FLAG_UNKNOWN');
  });
});

describe('a caller from an issuer outside', () => {
  it('predicts with the roles that its claims are mapped to, and nothing more', async () => {
    const model = await served();
    const token = await issuer.token({
      audience: 'saip-api',
      claims: { sub: 'eve', roles: ['users', 'admin'] },
      header: { typ: 'at+jwt' },
    });
    expect((await infer(model, { token })).status).toBe(200);
    expect((await api.call('GET', '/v1/limits', { token })).status).toBe(403);
    expect(await lastRecord('corp:eve', 'model:infer')).toMatchObject({ subject: `model:${model}/1` });
    const foreign = await infer(model, { on: second, token });
    expect(problemOf(foreign)).toMatchObject({ status: 401, code: 'TOKEN_INVALID' });
    const refused = await infer(model, {
      token: await issuer.token({ audience: 'another', header: { typ: 'at+jwt' } }),
    });
    expect(problemOf(refused)).toMatchObject({ status: 401, code: 'TOKEN_INVALID' });
    const { body: text } = await api.call('GET', '/metrics', { role: 'viewer' });
    expect(text).toContain('saip_credentials_refused_total{kind="token",reason="audience",service="api"} 1');
  });
});

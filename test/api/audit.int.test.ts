import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AuditLog, createPool, type AuditEntry, type BaoClient, type Pool } from '../../lib/clients/index.ts';
import { stackBao } from '../support/stack-bao.ts';
import { createNamespace } from './support/namespace.ts';
import { localClient, startApi, type TestApi } from './support/harness.ts';

let api: TestApi;
let bao: BaoClient;
let pool: Pool;
let log: AuditLog;

beforeAll(async () => {
  api = await startApi({ TEMPORAL_NAMESPACE: await createNamespace() });
  bao = stackBao('api');
  const credentials = z.object({ username: z.string(), password: z.string() });
  pool = createPool(api.config, credentials.parse(await bao.kvRead('saip/postgres/api')));
  log = new AuditLog(pool);
});

afterAll(async () => {
  await api.stop();
  await pool.end();
  await bao.close();
});

/** A trace id of the test's own, and what the audit log says about it. */
function traced(): { headers: Record<string, string>; entries: () => Promise<AuditEntry[]> } {
  const traceId = randomUUID().replaceAll('-', '');
  return {
    headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
    entries: async () => (await log.entries({ limit: 100 })).filter((entry) => entry.traceId === traceId),
  };
}

describe('the audit log', () => {
  it('names who started what, and by which rule', async () => {
    const { headers, entries } = traced();
    const json = { model: 'mnist-softmax', registerAs: 'audited' };
    await api.call('POST', '/v1/workflows/train-register-deploy', { role: 'trainer', headers, json });
    expect(await entries()).toEqual([
      expect.objectContaining({
        actor: 'local-trainer',
        action: 'workflow:start',
        subject: 'POST /v1/workflows/train-register-deploy',
        decision: 'allow',
        detail: { model: 'mnist-softmax', registerAs: 'audited', rule: 'role:trainer' },
      }),
    ]);
  });

  it('names who was refused', async () => {
    const { headers, entries } = traced();
    await api.call('POST', '/v1/schedules', { role: 'viewer', headers, json: {} });
    expect(await entries()).toMatchObject([
      { actor: 'local-viewer', action: 'schedule:write', decision: 'deny', detail: { rule: 'default-deny' } },
    ]);
  });

  it('names who signed in, and who tried to, without any secret', async () => {
    const { clientId, clientSecret } = localClient('auditor');
    const { headers, entries } = traced();
    const json = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
    await api.call('POST', '/v1/auth/token', { headers, json });
    await api.call('POST', '/v1/auth/token', { headers, json: { ...json, client_secret: 'guess' } });
    const found = await entries();
    expect(found).toMatchObject([
      { actor: 'anonymous', action: 'token:issue', subject: `client:${clientId}`, decision: 'deny' },
      { actor: 'local-auditor', action: 'token:issue', subject: `client:${clientId}`, decision: 'allow' },
    ]);
    expect(JSON.stringify(found)).not.toContain(clientSecret);
    expect(JSON.stringify(found)).not.toContain('guess');
  });

  it('is silent about reading and predicting', async () => {
    const { headers, entries } = traced();
    await api.call('GET', '/v1/models', { role: 'viewer', headers });
    await api.call('POST', '/v2/models/nope/infer', {
      role: 'predictor',
      headers,
      json: { inputs: [{ name: 'x', shape: [1], datatype: 'FP32', data: [1] }] },
    });
    expect(await entries()).toEqual([]);
  });
});

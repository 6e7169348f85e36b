import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { AuditRecordList, ConsistencyProof, InclusionProof } from '../../contracts/audit-api.ts';
import type { Role } from '../../contracts/roles.ts';
import {
  Sequencer,
  Witness,
  formatVerifierKey,
  noteKey,
  openCheckpoint,
  verifyConsistency,
  verifyInclusion,
  type NoteKey,
} from '../../lib/audit/index.ts';
import { loadConfig } from '../../lib/config/index.ts';
import {
  AuditLog,
  AuditTree,
  createPool,
  type AuditEntry,
  type BaoClient,
  type Pool,
} from '../../lib/clients/index.ts';
import { stackBao } from '../support/stack-bao.ts';
import { stackEnv } from '../support/stack.ts';
import { createNamespace } from './support/namespace.ts';
import { localClient, startApi, type TestApi } from './support/harness.ts';
import { until } from './support/until.ts';

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

  it('is silent about reading', async () => {
    const { headers, entries } = traced();
    await api.call('GET', '/v1/models', { role: 'viewer', headers });
    expect(await entries()).toEqual([]);
  });

  it('names who asked a model, also one that does not answer', async () => {
    const { headers, entries } = traced();
    await api.call('POST', '/v2/models/nope/infer', {
      role: 'predictor',
      headers,
      json: { inputs: [{ name: 'x', shape: [1], datatype: 'FP32', data: [1] }] },
    });
    const found = await until('the record is shipped', async () => {
      const all = await entries();
      return all.length > 0 && all;
    });
    expect(found).toMatchObject([
      {
        actor: 'local-predictor',
        action: 'model:infer',
        subject: 'model:unknown',
        decision: 'error',
        detail: { asked: '/v2/models/nope/infer', code: 'MODEL_UNKNOWN' },
      },
    ]);
  });

  it.each([
    ['/v2/models/mnist-cnn/infer', { inputs: [{ name: 'x', shape: [1], datatype: 'FP32', data: [1] }] }],
    ['/v1/models/iris/predict', { records: [{ petal: 1 }] }],
  ])('names who was not allowed to ask a model by %s, and the rule', async (path, json) => {
    const { headers, entries } = traced();
    expect((await api.call('POST', path, { role: 'releaser', headers, json })).status).toBe(403);
    const found = await until('the record is shipped', async () => {
      const all = await entries();
      return all.length > 0 && all;
    });
    expect(found).toMatchObject([
      {
        actor: 'local-releaser',
        action: 'model:infer',
        decision: 'deny',
        detail: { asked: path, code: 'FORBIDDEN', rule: 'default-deny' },
      },
    ]);
  });
});

describe('the tree over HTTP', () => {
  const work = async (): Promise<NoteKey> => {
    const sequencerBao = stackBao('sequencer');
    const config = loadConfig('sequencer', stackEnv('sequencer'));
    const credentials = z.object({ username: z.string(), password: z.string() });
    const own = createPool(config, credentials.parse(await sequencerBao.kvRead('saip/postgres/sequencer')));
    const { keys } = await bao.transitPublicKeys('audit');
    const key = noteKey(config.audit.origin, Buffer.from(keys.at(-1)?.jwk.x ?? '', 'base64url'));
    const sequencer = new Sequencer({
      store: new AuditTree(own),
      keys: () => Promise.resolve([key]),
      sign: async (text) => (await sequencerBao.transitSignMessage('audit', text)).signature,
      witness: new Witness(join(folder, 'signed.json')),
      pause: 10,
      checkpointPause: 10,
      onError: () => undefined,
    });
    await until('the tree is made', () => sequencer.drain());
    await own.end();
    await sequencerBao.close();
    return key;
  };
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'saip-audit-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const get = (path: string, role: Role = 'auditor') => api.call('GET', `/v1/audit/${path}`, { role });
  const bytes = (text: string) => Buffer.from(text, 'base64');

  it('is signed with a key in OpenBao that nobody else may use, and proves its leaves', async () => {
    const key = await work();
    await expect(bao.transitSignMessage('audit', Buffer.from('x'))).rejects.toMatchObject({ code: 'SECRET_FORBIDDEN' });
    const answer = await get('checkpoint');
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const { size, root } = openCheckpoint(String(answer.body), [key]);
    expect(size).toBeGreaterThan(3);
    expect((await get('key')).body).toMatchObject({ keys: [formatVerifierKey(key)] });

    const proven = InclusionProof.parse((await get('proof?index=2')).body);
    expect(bytes(proven.root)).toEqual(Buffer.from(root));
    const { index, leafHash, proof } = proven;
    expect(verifyInclusion({ index, size, root, leaf: bytes(leafHash), proof: proof.map(bytes) })).toBe(true);

    const grown = ConsistencyProof.parse((await get(`consistency?from=2&to=${size}`)).body);
    const roots = { fromRoot: bytes(grown.fromRoot), toRoot: bytes(grown.toRoot) };
    expect(verifyConsistency({ from: 2, to: size, ...roots, proof: grown.proof.map(bytes) })).toBe(true);

    const list = AuditRecordList.parse((await get('entries?fromIndex=0&limit=2')).body);
    expect(list.entries.map(({ index: leaf }) => leaf)).toEqual([0, 1]);
  });

  it('is read by auditors alone, and its personal data erased by administrators alone', async () => {
    for (const path of ['entries', 'checkpoint', 'proof?index=0', 'tile/0/000.p/1', 'tile/entries/000.p/1']) {
      expect([path, (await get(path)).status, (await get(path, 'viewer')).status]).toEqual([path, 200, 403]);
    }
    const json = { subject: 'nobody-of-that-name' };
    const erase = (role: Role) => api.call('POST', '/v1/audit/erasures', { role, json });
    expect((await erase('auditor')).status).toBe(403);
    expect(await erase('admin')).toMatchObject({ status: 200, body: { erased: 0 } });
  });

  it.each([
    ['tile/0/x001/000', 404],
    ['tile/9/000.p/1', 404],
    ['tile/0/000.p/256', 404],
    ['proof?index=99999999', 404],
    ['proof?index=-1', 400],
    ['consistency?from=5&to=2', 404],
    ['proof?index=0&size=99999999', 404],
  ])('answers %s with %d', async (path, status) => {
    expect((await get(path)).status).toBe(status);
  });
});

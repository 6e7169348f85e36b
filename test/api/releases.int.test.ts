import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { extract } from 'tar';
import { WorkflowStarted } from '../../contracts/api.ts';
import { ReleaseDetail, ReleaseKeys, ReleaseList } from '../../contracts/release-api.ts';
import { JWT_TOKEN_TYPE, TOKEN_EXCHANGE, TokenResponse } from '../../contracts/token.ts';
import { ModelRegistry, Releases } from '../../lib/clients/index.ts';
import { ReleaseStore, verifyRelease } from '../../lib/release/index.ts';
import { AUDIENCE, CLAIMS, OidcIssuer, type TokenOptions } from '../support/oidc-issuer.ts';
import { MadeRelease } from '../release/support/made-release.ts';
import { createPrivateDatabase, type PrivateDatabase } from '../support/private-database.ts';
import { copyClients } from './support/clients.ts';
import { createNamespace } from './support/namespace.ts';
import { problemOf, startApi, type TestApi } from './support/harness.ts';

let database: PrivateDatabase;
let issuer: OidcIssuer;
let api: TestApi;
let made: MadeRelease;
const model = `released.${randomUUID().slice(0, 8)}`;

beforeAll(async () => {
  database = await createPrivateDatabase();
  await copyClients(database);
  issuer = await OidcIssuer.start();
  made = await MadeRelease.begin();
  api = await startApi({
    TEMPORAL_NAMESPACE: await createNamespace(),
    SAIP_POSTGRES_DATABASE: database.config.postgres.database,
    SAIP_ARTIFACTS: made.root,
    SAIP_OIDC_ISSUER: issuer.url,
    SAIP_OIDC_AUDIENCE: AUDIENCE,
    SAIP_OIDC_REPOSITORY_ID: CLAIMS.repository_id,
    SAIP_OIDC_REF: CLAIMS.ref,
    SAIP_OIDC_ENVIRONMENT: CLAIMS.environment,
  });
});

afterAll(async () => {
  await api.stop();
  await issuer.stop();
  await made.remove();
  await database.drop();
});

const get = (path: string) => api.call('GET', path, { role: 'viewer' });

/** Registers and publishes with the database login of a worker, with a folder that a key of the test signed. */
async function publish(): Promise<{ version: string; manifestSha256: string }> {
  const files = await made.files({ input: { notes: randomUUID() } });
  const registry = new ModelRegistry(database.worker);
  const { version, digest } = await registry.register({
    model,
    digest: createHash('sha256').update(randomUUID()).digest('hex'),
    files: {},
    signature: files['release.json'] ?? never(),
    mlflowRunId: 'none',
    workflowId: `test-${randomUUID()}`,
    metrics: {},
  });
  const folders = new ReleaseStore({ root: made.root });
  await folders.put({ model, version, files, store: made.store, check: () => Promise.resolve() });
  const manifestSha256 = files['release.json']?.sha256 ?? never();
  const requested = { workflowId: 'release-1', runId: 'run-1', requestedBy: 'ann', approvedBy: 'bob' };
  await new Releases(database.worker).publish({ model, version, digest, manifestSha256, ...requested });
  return { version, manifestSha256 };
}

describe('published releases', () => {
  let first: { version: string; manifestSha256: string };
  beforeAll(async () => {
    first = await publish();
    await publish();
  });

  it('are listed, newest first, in pages', async () => {
    const page = ReleaseList.parse((await get(`/v1/releases?model=${model}&limit=1`)).body);
    expect(page.releases).toMatchObject([{ model, version: '2', requestedBy: 'ann', approvedBy: 'bob' }]);
    const next = ReleaseList.parse((await get(`/v1/releases?limit=1&pageToken=${page.nextPageToken}`)).body);
    expect(next.releases).toMatchObject([{ model, version: '1' }]);
    expect(next.nextPageToken).toBeUndefined();
    expect(ReleaseList.parse((await get('/v1/releases?model=other')).body).releases).toEqual([]);
  });

  it('are shown with the manifest that was published', async () => {
    const { body } = await get(`/v1/releases/${model}/1`);
    const { release, manifest } = ReleaseDetail.parse(body);
    expect(release).toMatchObject({ version: '1', manifestSha256: first.manifestSha256 });
    expect(Object.keys(manifest.files)).toContain('model/model.onnx');
  });

  it('are downloaded as an archive that verifies, the same bytes each time', async () => {
    const token = await api.token('viewer');
    const download = async () => {
      const answer = await fetch(`${api.url}/v1/releases/${model}/1/archive`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(answer.headers.get('content-type')).toBe('application/x-tar');
      expect(answer.headers.get('content-disposition')).toBe(`attachment; filename=${model}-1.tar`);
      return Buffer.from(await answer.arrayBuffer());
    };
    const archive = await download();
    expect((await download()).equals(archive)).toBe(true);
    const folder = mkdtempSync(join(tmpdir(), 'saip-archive-'));
    try {
      await pipeline(Readable.from([archive]), extract({ cwd: folder }));
      expect(readdirSync(folder)).toEqual([`${model}-1`]);
      const own = join(folder, `${model}-1`);
      expect(readFileSync(join(own, 'model/model.onnx'), 'utf8')).toBe('graph');
      await expect(verifyRelease({ folder: own, publicKeys: await made.publicKeys() })).resolves.toMatchObject({
        files: 13,
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('that were changed on disk are not shown', async () => {
    const folder = new ReleaseStore({ root: made.root }).folder({ model, version: '2' });
    rmSync(join(folder, 'release.json'));
    for (const path of [`/v1/releases/${model}/2`, `/v1/releases/${model}/2/archive`]) {
      const answer = await get(path);
      expect(answer.status).toBe(409);
      expect(problemOf(answer).code).toBe('RELEASE_DIGEST_MISMATCH');
    }
  });

  it.each([
    ['/v1/releases/none/1', 404, 'RELEASE_UNKNOWN'],
    ['/v1/releases/none/1/archive', 404, 'RELEASE_UNKNOWN'],
    ['/v1/releases/none/..%2f1', 400, 'REQUEST_INVALID'],
    ['/v1/releases/..%2f/1/archive', 400, 'REQUEST_INVALID'],
    ['/v1/releases?pageToken=x', 400, 'REQUEST_INVALID'],
  ])('%s is refused with %i %s', async (path, status, code) => {
    const answer = await get(path);
    expect(answer.status).toBe(status);
    expect(problemOf(answer).code).toBe(code);
  });

  it('are read by readers alone, the keys by everybody', async () => {
    expect((await api.call('GET', '/v1/releases')).status).toBe(401);
    expect((await api.call('GET', '/v1/releases', { role: 'predictor' })).status).toBe(403);
    const { keys } = ReleaseKeys.parse((await api.call('GET', '/v1/release-keys')).body);
    expect(keys).toEqual([
      { fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/), pem: expect.stringContaining('BEGIN PUBLIC KEY') },
    ]);
  });
});

describe('POST /v1/workflows/sign-and-release', () => {
  const start = (json: unknown, role: 'releaser' | 'trainer' = 'releaser', headers: Record<string, string> = {}) =>
    api.call('POST', '/v1/workflows/sign-and-release', { role, json, headers });

  it('starts one release of a version at a time', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const first = await start({ model, version: '1' }, 'releaser', key);
    expect(first.status).toBe(202);
    expect(WorkflowStarted.parse(first.body).workflowId).toBe(`release-${model}-1`);
    expect((await start({ model, version: '1' }, 'releaser', key)).body).toEqual(first.body);
    const second = await start({ model, version: '1' });
    expect(second.status).toBe(409);
    expect(problemOf(second).code).toBe('RELEASE_IN_PROGRESS');
  });

  it.each([
    [{ model: 'none' }, 404, 'MODEL_UNKNOWN'],
    [{ model: 'none', version: '1' }, 404, 'MODEL_UNKNOWN'],
  ])('refuses %j', async (json, status, code) => {
    const answer = await start(json);
    expect(answer.status).toBe(status);
    expect(problemOf(answer).code).toBe(code);
  });

  it('needs a version where there is no champion', async () => {
    const answer = await start({ model });
    expect(answer.status).toBe(404);
    expect(problemOf(answer)).toMatchObject({ code: 'ALIAS_UNKNOWN', errors: [{ field: 'body.version' }] });
  });

  it('is not for trainers', async () => {
    expect((await start({ model, version: '2' }, 'trainer')).status).toBe(403);
  });
});

describe('the exchange of a token', () => {
  const exchange = (token: string) =>
    api.call('POST', '/v1/auth/token', {
      body: new URLSearchParams({
        grant_type: TOKEN_EXCHANGE,
        subject_token: token,
        subject_token_type: JWT_TOKEN_TYPE,
      }),
    });

  it('gives the trusted pipeline a short-lived token that may release', async () => {
    const { status, body } = await exchange(await issuer.token());
    expect(status).toBe(200);
    const { access_token: token, ...rest } = TokenResponse.parse(body);
    expect(rest).toEqual({
      token_type: 'Bearer',
      expires_in: 900,
      scope: 'releaser',
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    });
    expect(decodeJwt(token)).toMatchObject({
      sub: 'oidc:repository:123456:environment:release',
      roles: ['releaser'],
      tenant: 'default',
    });
    expect((await api.call('GET', '/v1/releases', { token })).status).toBe(200);
    const train = await api.call('POST', '/v1/workflows/train-register-deploy', {
      token,
      json: { model: 'mnist-cnn' },
    });
    expect(train.status).toBe(403);
  });

  it.each<[string, TokenOptions]>([
    ['another repository', { claims: { repository_id: '1' } }],
    ['another ref', { claims: { ref: 'refs/heads/x' } }],
    ['another environment', { claims: { environment: 'x' } }],
    ['another audience', { audience: 'x' }],
    ['the past', { issuedAt: -600, expiresAt: -300 }],
    ['a stranger', { forged: true }],
  ])('gives nothing to a token of %s', async (_what, options) => {
    const answer = await exchange(await issuer.token(options));
    expect(answer.status).toBe(400);
    expect(problemOf(answer)).toMatchObject({ code: 'SUBJECT_TOKEN_INVALID', error: 'invalid_request' });
  });

  it('is recorded, allowed or not', async () => {
    const { rows } = await database.owner.query<{ actor: string; decision: string }>(
      `SELECT DISTINCT actor, decision FROM audit_log WHERE action = 'token:exchange' ORDER BY decision`,
    );
    expect(rows).toEqual([
      { actor: 'oidc:repository:123456:environment:release', decision: 'allow' },
      { actor: 'anonymous', decision: 'deny' },
    ]);
  });

  it('is off where no issuer is trusted', async () => {
    const own = await startApi();
    try {
      const answer = await own.call('POST', '/v1/auth/token', {
        json: { grant_type: TOKEN_EXCHANGE, subject_token: 'x', subject_token_type: JWT_TOKEN_TYPE },
      });
      expect(answer.status).toBe(400);
      expect(problemOf(answer)).toMatchObject({ code: 'TOKEN_EXCHANGE_OFF', error: 'unsupported_grant_type' });
    } finally {
      await own.stop();
    }
  });
});

/** The clients of the stack sign in to the private database, too. */
function never(): never {
  throw new Error('the test data is not whole');
}

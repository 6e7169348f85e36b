import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { TOKEN_AUDIENCE } from '../../api/compose/index.ts';
import { TokenResponse } from '../../contracts/token.ts';
import type { BaoClient } from '../../lib/clients/index.ts';
import { TransitKeySet } from '../../lib/identity/index.ts';
import { stackBao } from '../support/stack-bao.ts';
import { localClient, problemOf, startApi, type TestApi } from './support/harness.ts';

let api: TestApi;
let bao: BaoClient;
let keys: TransitKeySet;

beforeAll(async () => {
  api = await startApi();
  bao = stackBao('api');
  keys = new TransitKeySet({ transit: bao, key: 'tokens' });
});

afterAll(async () => {
  await api.stop();
  await bao.close();
});

const trainer = () => localClient('trainer');
const credentials = () => ({ client_id: trainer().clientId, client_secret: trainer().clientSecret });
const grant = { grant_type: 'client_credentials' };

/** Claims of a good token; each test spoils one thing. */
function claims(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: api.url,
    aud: TOKEN_AUDIENCE,
    sub: 'ann',
    client_id: 'test',
    jti: `jti-${Math.random()}`,
    iat: now,
    exp: now + 60,
    roles: ['viewer'],
    tenant: 'default',
    ...changes,
  };
}

const unsigned = (): string =>
  [{ alg: 'none', typ: 'at+jwt' }, claims({ roles: ['admin'] })]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .concat('')
    .join('.');

describe('POST /v1/auth/token', () => {
  const basic = (id: string, secret: string): Record<string, string> => ({
    authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
  });

  it.each([
    ['JSON', () => ({ json: { ...grant, ...credentials() } })],
    ['a form', () => ({ body: new URLSearchParams({ ...grant, ...credentials() }) })],
    [
      'a form and HTTP Basic',
      () => ({ body: new URLSearchParams(grant), headers: basic(trainer().clientId, trainer().clientSecret) }),
    ],
  ])('gives a token to a client that comes by %s', async (_, options) => {
    const { status, body, headers } = await api.call('POST', '/v1/auth/token', options());
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    const { access_token: token, scope, expires_in: seconds } = TokenResponse.parse(body);
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
    expect(decodeJwt(token)).toMatchObject({ iss: api.url, aud: TOKEN_AUDIENCE, roles: ['trainer'] });
    expect({ scope, seconds }).toEqual({ scope: 'trainer', seconds: 900 });
    expect((await api.call('GET', '/v1/models', { token })).status).toBe(200);
  });

  it.each([
    ['a wrong secret', { ...grant, client_id: 'saip-local-trainer', client_secret: 'wrong' }, 401, 'invalid_client'],
    ['an unknown client', { ...grant, client_id: 'nobody', client_secret: 'x' }, 401, 'invalid_client'],
    ['no client', grant, 400, 'invalid_request'],
    ['another grant', { grant_type: 'password', client_id: 'a', client_secret: 'b' }, 400, 'invalid_request'],
    ['an unknown field', { ...grant, client_id: 'a', client_secret: 'b', extra: 1 }, 400, 'invalid_request'],
  ])('refuses %s with the code of RFC 6749', async (_, json, status, error) => {
    const answer = await api.call('POST', '/v1/auth/token', { json });
    expect(answer.status).toBe(status);
    expect(problemOf(answer).error).toBe(error);
  });

  it('refuses a role that the client does not have', async () => {
    const answer = await api.call('POST', '/v1/auth/token', { json: { ...grant, ...credentials(), scope: 'admin' } });
    expect(answer.status).toBe(400);
    expect(problemOf(answer).errors).toEqual([expect.objectContaining({ field: 'scope' })]);
  });

  it('makes a guesser wait, and says how long', async () => {
    const own = await startApi();
    try {
      const guess = { json: { ...grant, client_id: 'saip-local-admin', client_secret: 'guess' } };
      const answers = [];
      for (let attempt = 0; attempt < 32; attempt += 1) answers.push(await own.call('POST', '/v1/auth/token', guess));
      expect(answers.slice(0, 30).every(({ status }) => status === 401)).toBe(true);
      const last = answers.at(-1);
      expect(last?.status).toBe(429);
      expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
    } finally {
      await own.stop();
    }
  });
});

describe('a protected route', () => {
  const get = (headers: Record<string, string>) => api.call('GET', '/v1/models', { headers });

  it.each([
    ['no header', {}],
    ['another scheme', { authorization: 'Basic YTpi' }],
    ['an empty bearer', { authorization: 'Bearer ' }],
  ])('asks %s for a token', async (_, headers) => {
    const answer = await get(headers);
    expect(answer.status).toBe(401);
    expect(problemOf(answer).code).toBe('UNAUTHENTICATED');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="saip"');
  });

  it('takes a good token', async () => {
    expect((await api.call('GET', '/v1/models', { token: await keys.sign('at+jwt', claims()) })).status).toBe(200);
  });

  it.each([
    ['is expired', { iat: 1, exp: 2 }],
    ['is for another audience', { aud: 'another' }],
    ['is from another issuer', { iss: 'http://evil' }],
    ['has no subject', { sub: undefined }],
    ['has an invented role', { roles: ['root'] }],
    ['lives too long', { exp: Math.floor(Date.now() / 1000) + 30 * 86_400, iat: 1 }],
  ])('refuses a token that %s', async (_, changes) => {
    const answer = await api.call('GET', '/v1/models', { token: await keys.sign('at+jwt', claims(changes)) });
    expect(answer.status).toBe(401);
    expect(problemOf(answer).code).toBe('TOKEN_INVALID');
    expect(answer.headers.get('www-authenticate')).toContain('invalid_token');
  });

  it('refuses another type of JWT, an unsigned one, and a changed one', async () => {
    const good = await keys.sign('at+jwt', claims());
    const changed = good.replace(
      /\.[^.]+\./,
      `.${Buffer.from(JSON.stringify(claims({ sub: 'eve' }))).toString('base64url')}.`,
    );
    for (const token of [
      await keys.sign('JWT', claims()),
      await keys.sign('approval+jwt', claims()),
      unsigned(),
      changed,
    ]) {
      expect((await api.call('GET', '/v1/models', { token })).status).toBe(401);
    }
  });

  it('verifies with the keys that it publishes', async () => {
    const { body } = await api.call('GET', '/.well-known/jwks.json');
    const { kid } = decodeProtectedHeader(await api.token('viewer'));
    expect(body).toMatchObject({ keys: expect.arrayContaining([expect.objectContaining({ kid, alg: 'ES256' })]) });
    expect(JSON.stringify(body)).not.toContain('"d"');
  });
});

describe('permission', () => {
  it.each([
    ['viewer', 'POST', '/v1/workflows/train-register-deploy', 403],
    ['predictor', 'GET', '/v1/workflows', 403],
    ['predictor', 'GET', '/metrics', 403],
    ['viewer', 'GET', '/metrics', 200],
    ['viewer', 'POST', '/v1/codec/decode', 403],
    ['releaser', 'POST', '/v1/workflows/train-register-deploy', 403],
    ['viewer', 'POST', '/v1/schedules', 403],
  ] as const)('of %s for %s %s gives %i', async (role, method, path, status) => {
    const answer = await api.call(method, path, { role });
    expect(answer.status).toBe(status);
    if (status === 403) expect(problemOf(answer).code).toBe('FORBIDDEN');
  });

  it('is checked before a body is read', async () => {
    const answer = await api.call('POST', '/v1/workflows/train-register-deploy', { role: 'viewer', body: '{' });
    expect(answer.status).toBe(403);
  });
});

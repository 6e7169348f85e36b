import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CodecPayloads } from '../../contracts/api.ts';
import { SessionResponse } from '../../contracts/session.ts';
import { Keyring, createPayloadCodec, transitWrapper, type PayloadCodec } from '../../lib/codec/index.ts';
import type { BaoClient } from '../../lib/clients/index.ts';
import { stackBao } from '../support/stack-bao.ts';
import { localClient, problemOf, startApi, type TestApi } from './support/harness.ts';

let api: TestApi;
let bao: BaoClient;
let codec: PayloadCodec;
let uiOrigin: string;

beforeAll(async () => {
  api = await startApi();
  bao = stackBao('worker-cpu');
  codec = createPayloadCodec({ keyring: new Keyring({ wrapper: transitWrapper(bao) }) });
  uiOrigin = new URL(api.config.temporal.uiUrl).origin;
});

afterAll(async () => {
  await api.stop();
  await bao.close();
});

const secret = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"epochs":3}') };
const asJson = ({ metadata, data }: { metadata: Record<string, Uint8Array>; data: Uint8Array }) => ({
  metadata: Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
  ),
  data: Buffer.from(data).toString('base64'),
});
const encrypted = async () => ({ payloads: (await codec.encode([secret])).map(asJson) });

/** As the Temporal UI asks: a query of its own, the namespace in a header, the cookie when it was told to. */
const decode = (json: unknown, headers: Record<string, string>) =>
  api.call('POST', '/v1/codec/decode?preserveStorageRefs=true', {
    json,
    headers: { 'x-namespace': 'default', ...headers },
  });

const signIn = (json: object) => api.call('POST', '/v1/auth/session', { json });

async function cookieOf(role: 'trainer' | 'viewer'): Promise<string> {
  const { headers } = await signIn({ token: await api.token(role) });
  return headers.get('set-cookie')?.split(';')[0] ?? '';
}

describe('a session', () => {
  it('begins with a token, in a cookie that scripts and other sites never see', async () => {
    const { status, body, headers } = await signIn({ token: await api.token('trainer') });
    expect(status).toBe(200);
    expect(SessionResponse.parse(body)).toMatchObject({ subject: 'local-trainer', roles: ['trainer'] });
    const cookie = headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^saip_session=[\w-]{43};/);
    expect(cookie).toContain('HttpOnly');
    expect(cookie).toContain('SameSite=Strict');
    expect(cookie).toContain('Path=/v1');
    expect(cookie).not.toContain(await api.token('trainer'));
  });

  it('begins with client credentials, for a working day', async () => {
    const { clientId, clientSecret } = localClient('approver');
    const { body } = await signIn({ client_id: clientId, client_secret: clientSecret });
    const { expiresAt } = SessionResponse.parse(body);
    expect(Date.parse(expiresAt) - Date.now()).toBeGreaterThan(7 * 3_600_000);
  });

  it('does not begin with anything else', async () => {
    expect(problemOf(await signIn({ token: 'nonsense' }))).toMatchObject({ status: 401, code: 'TOKEN_INVALID' });
    const wrong = await signIn({ client_id: 'saip-local-admin', client_secret: 'guess' });
    expect(problemOf(wrong)).toMatchObject({ status: 401, code: 'CLIENT_CREDENTIALS_INVALID' });
    expect(wrong.headers.get('set-cookie')).toBeNull();
  });

  it('is no token: routes other than the codec do not take it', async () => {
    const cookie = await cookieOf('trainer');
    expect((await api.call('GET', '/v1/models', { headers: { cookie } })).status).toBe(401);
    const who = await api.call('GET', '/v1/auth/session', { headers: { cookie } });
    expect(SessionResponse.parse(who.body).subject).toBe('local-trainer');
  });

  it('ends when the person signs out', async () => {
    const cookie = await cookieOf('trainer');
    const out = await api.call('DELETE', '/v1/auth/session', { headers: { cookie } });
    expect(out.status).toBe(204);
    expect(out.headers.get('set-cookie')).toMatch(/^saip_session=;/);
    expect((await decode(await encrypted(), { cookie, origin: uiOrigin })).status).toBe(401);
  });
});

describe('POST /v1/codec/decode', () => {
  it('shows payloads to a person who has signed in', async () => {
    const cookie = await cookieOf('trainer');
    const { status, body, headers } = await decode(await encrypted(), { cookie, origin: uiOrigin });
    expect(status).toBe(200);
    expect(CodecPayloads.parse(body).payloads).toEqual([asJson(secret)]);
    expect(headers.get('access-control-allow-origin')).toBe(uiOrigin);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('vary')).toContain('Origin');
  });

  it('shows payloads to a bearer token, and leaves what was never encrypted', async () => {
    const json = { payloads: [...(await encrypted()).payloads, asJson(secret)] };
    const { body } = await api.call('POST', '/v1/codec/decode', { role: 'auditor', json });
    expect(CodecPayloads.parse(body).payloads).toEqual([asJson(secret), asJson(secret)]);
  });

  it('shows nothing to a person who has not, or whose role may not', async () => {
    expect((await decode(await encrypted(), { origin: uiOrigin })).status).toBe(401);
    const cookie = await cookieOf('viewer');
    expect((await decode(await encrypted(), { cookie, origin: uiOrigin })).status).toBe(403);
    expect(
      (await decode(await encrypted(), { cookie: `saip_session=${'A'.repeat(43)}`, origin: uiOrigin })).status,
    ).toBe(401);
  });

  it.each([
    ['another port of the same host', 'http://127.0.0.1:1'],
    ['another host', 'https://evil.example'],
    ['an opaque origin', 'null'],
  ])('takes no session from a page of %s', async (_, origin) => {
    const cookie = await cookieOf('trainer');
    const answer = await decode(await encrypted(), { cookie, origin });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('takes no session from a request without an origin', async () => {
    expect((await decode(await encrypted(), { cookie: await cookieOf('trainer') })).status).toBe(401);
  });

  it('answers the preflight of the Temporal UI, and of nobody else', async () => {
    const preflight = (origin: string) =>
      api.call('OPTIONS', '/v1/codec/decode', {
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type,x-namespace',
        },
      });
    const allowed = await preflight(uiOrigin);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(uiOrigin);
    expect(allowed.headers.get('access-control-allow-headers')).toContain('X-Namespace');
    expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('refuses a payload that was changed', async () => {
    const { payloads } = await encrypted();
    const bytes = Buffer.from(payloads[0]?.data ?? '', 'base64');
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    const json = { payloads: [{ ...payloads[0], data: bytes.toString('base64') }] };
    const answer = await api.call('POST', '/v1/codec/decode', { role: 'auditor', json });
    expect(problemOf(answer).code).toBe('PAYLOAD_UNDECRYPTABLE');
  });
});

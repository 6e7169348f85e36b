import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader } from 'jose';
import fc from 'fast-check';
import { TokenIssuer, TokenVerifier, TransitKeySet, type OAuthClientRecord } from '../../lib/identity/index.ts';
import { LocalTransit, sha256 } from '../support/local-transit.ts';

const issuer = 'http://127.0.0.1:8080';
const audience = 'saip';
const secret = 'correct horse battery staple';
const client: OAuthClientRecord = {
  clientId: 'ci',
  secretSha256: sha256(secret),
  subject: 'ci@local',
  roles: ['trainer', 'predictor'],
  tenant: 'default',
};

let clock: number;
let transit: LocalTransit;
let keys: TransitKeySet;
let issuing: TokenIssuer;
let verifier: TokenVerifier;

const now = () => clock;
const seconds = () => Math.floor(clock / 1000);

beforeEach(() => {
  clock = Date.UTC(2026, 0, 1);
  transit = new LocalTransit();
  keys = new TransitKeySet({ transit, key: 'tokens', now });
  const clients = { find: async (id: string) => (id === client.clientId ? client : undefined) };
  issuing = new TokenIssuer({ keys, clients, issuer, audience, now });
  verifier = new TokenVerifier({ keys, issuer, audience, now });
});

const issue = async (more: { scope?: string; ttlSeconds?: number } = {}) =>
  (await issuing.issue({ clientId: 'ci', clientSecret: secret, ...more })).accessToken;

const claims = () => ({
  iss: issuer,
  aud: audience,
  sub: 'ci@local',
  client_id: 'ci',
  iat: seconds(),
  exp: seconds() + 60,
  jti: 'j-1',
  roles: ['trainer'],
  tenant: 'default',
});

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token whose signature is right whatever its header and claims say. */
async function forge(header: Record<string, unknown>, payload: Record<string, unknown>): Promise<string> {
  const kid = decodeProtectedHeader(await issue()).kid;
  const input = `${encode({ alg: 'ES256', typ: 'at+jwt', kid, ...header })}.${encode(payload)}`;
  const { signature } = await transit.transitSign('tokens', Buffer.from(input), { marshaling: 'jws' });
  return `${input}.${signature.toString('base64url')}`;
}

describe('TokenIssuer', () => {
  it('issues an access token in the profile of RFC 9068', async () => {
    const { accessToken, expiresIn, scope } = await issuing.issue({ clientId: 'ci', clientSecret: secret });
    const [entry] = (await keys.jwks()).keys;
    expect(decodeProtectedHeader(accessToken)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: entry?.kid });
    expect(await calculateJwkThumbprint({ ...entry, kid: undefined })).toBe(entry?.kid);
    expect(decodeJwt(accessToken)).toEqual({
      ...claims(),
      exp: seconds() + 900,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      scope: 'trainer predictor',
      roles: ['trainer', 'predictor'],
    });
    expect({ expiresIn, scope }).toEqual({ expiresIn: 900, scope: 'trainer predictor' });
  });

  it('narrows the roles to the scope that is asked for', async () => {
    expect((await verifier.verify(await issue({ scope: 'predictor' }))).principal.roles).toEqual(['predictor']);
    await expect(issue({ scope: 'predictor admin' })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      field: 'scope',
    });
    await expect(issue({ scope: '' })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });

  it.each([0, -1, 1.5, 3601, Number.NaN])('refuses a lifetime of %p s', async (ttlSeconds) => {
    await expect(issue({ ttlSeconds })).rejects.toMatchObject({ code: 'REQUEST_INVALID', field: 'ttlSeconds' });
  });

  it('answers an unknown client and a wrong secret alike', async () => {
    const refusal = { code: 'CLIENT_CREDENTIALS_INVALID', message: 'The client is unknown or its secret is wrong.' };
    await expect(issuing.issue({ clientId: 'nobody', clientSecret: secret })).rejects.toMatchObject(refusal);
    await expect(issuing.issue({ clientId: 'ci', clientSecret: 'wrong' })).rejects.toMatchObject(refusal);
    await expect(issuing.issue({ clientId: 'ci', clientSecret: '' })).rejects.toMatchObject(refusal);
  });
});

describe('TokenVerifier', () => {
  it('gives the principal of a token it issued', async () => {
    expect(await verifier.verify(await issue())).toEqual({
      principal: { sub: 'ci@local', roles: ['trainer', 'predictor'], tenant: 'default' },
      clientId: 'ci',
      jti: expect.any(String),
      expiresAt: seconds() + 900,
    });
  });

  it('accepts the forger of these tests when nothing is wrong', async () => {
    expect((await verifier.verify(await forge({}, claims()))).principal.sub).toBe('ci@local');
  });

  it.each<[string, Record<string, unknown>]>([
    ['another type', { typ: 'JWT' }],
    ['the type of an approval', { typ: 'approval+jwt' }],
    ['no type', { typ: undefined }],
    ['no key id', { kid: undefined }],
    ['an unknown key id', { kid: 'x' }],
    ['a key id that is not text', { kid: 1 }],
    ['a key by value', { jwk: { kty: 'EC' } }],
    ['a key by URL', { jku: 'https://attacker.example/jwks' }],
    ['a certificate by URL', { x5u: 'https://attacker.example/x5u' }],
    ['a certificate by value', { x5c: ['AA=='] }],
    ['an unknown critical extension', { crit: ['exp'], exp: 1 }],
    ['an unencoded payload', { b64: false, crit: ['b64'] }],
    ['algorithm none', { alg: 'none' }],
    ['algorithm HS256', { alg: 'HS256' }],
    ['algorithm ES384', { alg: 'ES384' }],
  ])('refuses %s in the header', async (_name, header) => {
    await expect(forge(header, claims()).then((token) => verifier.verify(token))).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
    });
  });

  it.each<[string, () => Record<string, unknown>]>([
    ['another issuer', () => ({ iss: 'https://attacker.example' })],
    ['another audience', () => ({ aud: 'elsewhere' })],
    ['no issuer', () => ({ iss: undefined })],
    ['no audience', () => ({ aud: undefined })],
    ['no expiry', () => ({ exp: undefined })],
    ['no time of issue', () => ({ iat: undefined })],
    ['no subject', () => ({ sub: undefined })],
    ['no id', () => ({ jti: undefined })],
    ['no client', () => ({ client_id: undefined })],
    ['an expiry beyond the tolerated skew', () => ({ exp: seconds() - 30 })],
    ['a start beyond the tolerated skew', () => ({ nbf: seconds() + 31 })],
    ['a time of issue in the future', () => ({ iat: seconds() + 31 })],
    ['an age above the longest lifetime', () => ({ iat: seconds() - 3631 })],
    ['an invented role', () => ({ roles: ['root'] })],
    ['roles that are not a list', () => ({ roles: 'admin' })],
    ['no tenant', () => ({ tenant: undefined })],
  ])('refuses %s in the claims', async (_name, change) => {
    const token = await forge({}, { ...claims(), ...change() });
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
  });

  it('tolerates clocks that differ by up to 30 s', async () => {
    await verifier.verify(await forge({}, { ...claims(), exp: seconds() - 29 }));
    await verifier.verify(await forge({}, { ...claims(), nbf: seconds() + 30 }));
  });

  it('refuses a token that is signed with the public key as an HMAC secret', async () => {
    const [entry] = (await transit.transitPublicKeys()).keys;
    const kid = decodeProtectedHeader(await issue()).kid;
    const input = `${encode({ alg: 'HS256', typ: 'at+jwt', kid })}.${encode(claims())}`;
    const mac = createHmac('sha256', entry?.pem ?? '')
      .update(input)
      .digest('base64url');
    await expect(verifier.verify(`${input}.${mac}`)).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
  });

  it('refuses the signature of another key under a known key id', async () => {
    const [header, payload] = (await issue()).split('.');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const input = `${header}.${payload}`;
    const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    await expect(verifier.verify(`${input}.${signature.toString('base64url')}`)).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
    });
  });

  it('refuses a token whose characters were changed anywhere', async () => {
    const token = await issue();
    await verifier.verify(token);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.';
    const changed = fc
      .tuple(fc.nat({ max: token.length - 1 }), fc.constantFrom(...alphabet))
      .filter(([at, letter]) => token[at] !== letter)
      .map(([at, letter]) => token.slice(0, at) + letter + token.slice(at + 1));
    await fc.assert(
      fc.asyncProperty(changed, async (other) => {
        await expect(verifier.verify(other)).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
      }),
    );
  });

  it('refuses other spellings of the same signature', async () => {
    const token = await issue();
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const endings = [...letters]
      .filter((letter) => !token.endsWith(letter))
      .map((letter) => token.slice(0, -1) + letter);
    for (const other of [...endings, `${token} `, `${token}\n`, `${token}=`, ` ${token}`]) {
      await expect(verifier.verify(other)).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
    }
  });

  it('answers any text with TOKEN_INVALID', async () => {
    const texts = fc.oneof(
      fc.string(),
      fc.string({ maxLength: 40 }).map((text) => `${encode({ alg: 'ES256' })}.${text}.x`),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        await expect(verifier.verify(text)).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
      }),
    );
    await expect(verifier.verify('a'.repeat(8193))).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
  });

  it('forgets a verified token when it expires', async () => {
    const token = await issue({ ttlSeconds: 60 });
    await verifier.verify(token);
    clock += 89_000;
    await verifier.verify(token);
    clock += 1000;
    await expect(verifier.verify(token)).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      message: 'The token has expired.',
    });
  });

  it('forgets a verified token when its key is retired', async () => {
    const token = await issue({ ttlSeconds: 3600 });
    await verifier.verify(token);
    transit.rotate();
    transit.retireOld();
    clock += 300_000;
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SignJWT, UnsecuredJWT } from 'jose';
import { ExternalIssuers, type ExternalIssuer, type ExternalIssuersOptions } from '../../lib/identity/index.ts';
import { OidcIssuer, type TokenOptions } from '../support/oidc-issuer.ts';

const AUDIENCE = 'saip-api';
let issuer: OidcIssuer;

beforeAll(async () => {
  issuer = await OidcIssuer.start();
});
afterAll(() => issuer.stop());
beforeEach(() => {
  issuer.broken = false;
  issuer.discovery = {};
  issuer.asked.length = 0;
});

const trust = (rest: Partial<ExternalIssuer> = {}): ExternalIssuer => ({
  name: 'corp',
  issuer: issuer.url,
  audience: AUDIENCE,
  algorithms: ['RS256', 'ES256'],
  types: ['at+jwt'],
  rolesClaim: 'realm_access.roles',
  roles: { 'ml-users': ['predictor'], 'ml-admins': ['admin', 'trainer'] },
  tenant: 'default',
  ...rest,
});
const open = (rest: Partial<ExternalIssuer> = {}, options: Partial<ExternalIssuersOptions> = {}): ExternalIssuers =>
  new ExternalIssuers({ issuers: [trust(rest)], ...options });
const token = (options: TokenOptions = {}): Promise<string> =>
  issuer.token({
    audience: AUDIENCE,
    ...options,
    claims: { sub: 'ann', realm_access: { roles: ['ml-users', 'cooks'] }, jti: 'one', ...options.claims },
    header: { typ: 'at+jwt', ...options.header },
  });
const invalid = (reason: string) => ({ code: 'TOKEN_INVALID', reason });

describe('a token of an external issuer', () => {
  it.each(['RS256', 'ES256'] as const)(
    'signed with %s speaks for its subject, under the name of the issuer',
    async (algorithm) => {
      const issuers = open();
      const text = await token({ algorithm });
      expect(issuers.claims(text)).toBe(true);
      expect(await issuers.verify(text)).toEqual({
        principal: { sub: 'corp:ann', roles: ['predictor'], tenant: 'default' },
        clientId: 'corp:ann',
        jti: 'corp:one',
        expiresAt: expect.any(Number),
      });
    },
  );

  it('has the roles that its claim is mapped to, and no others', async () => {
    const issuers = open({ rolesClaim: 'https://corp.example/roles' });
    const claims = (roles: unknown) => ({ claims: { 'https://corp.example/roles': roles } });
    const rolesOf = async (roles: unknown) => (await issuers.verify(await token(claims(roles)))).principal.roles;
    expect(await rolesOf(['ml-admins', 'ml-users'])).toEqual(['predictor', 'trainer', 'admin']);
    expect(await rolesOf('ml-users')).toEqual(['predictor']);
    for (const nothing of [['admin'], ['__proto__', 'constructor'], { admin: true }, 7, undefined]) {
      expect(await rolesOf(nothing)).toEqual([]);
    }
  });

  it('brings its tenant where a claim is to say it', async () => {
    const issuers = open({ tenantClaim: 'org' });
    const { principal } = await issuers.verify(await token({ claims: { org: 'lab' } }));
    expect(principal.tenant).toBe('lab');
    await expect(issuers.verify(await token({ claims: { org: '../x' } }))).rejects.toMatchObject(invalid('claims'));
    await expect(issuers.verify(await token())).rejects.toMatchObject(invalid('claims'));
  });

  it.each<[string, TokenOptions, string]>([
    ['for somebody else', { audience: 'another' }, 'audience'],
    ['that has expired', { issuedAt: -900, expiresAt: -60 }, 'expired'],
    ['without a subject', { claims: { sub: '' } }, 'claims'],
    ['signed with another key under a known id', { forged: true }, 'signature'],
    ['of an unknown key', { header: { kid: 'nobody' } }, 'key'],
    ['that brings its own key set', { header: { jku: 'http://127.0.0.1/evil' } }, 'header'],
    ['that brings its own certificates', { header: { x5u: 'http://127.0.0.1/evil' } }, 'header'],
    ['that brings its own key', { header: { jwk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' } } }, 'header'],
    ['with an algorithm that is not bound to the issuer', { algorithm: 'PS256' }, 'algorithm'],
    ['of another type, such as an ID token', { header: { typ: 'JWT' } }, 'type'],
  ])('%s is refused', async (_, options, reason) => {
    await expect(open().verify(await token(options))).rejects.toMatchObject(invalid(reason));
  });

  it('is refused without a signature, and with a public key for a secret', async () => {
    const claims = { sub: 'ann', iss: issuer.url, aud: AUDIENCE };
    const now = Math.floor(Date.now() / 1000);
    const unsecured = new UnsecuredJWT({ ...claims, iat: now, exp: now + 60 }).encode();
    const confused = await new SignJWT({ ...claims, iat: now, exp: now + 60 })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'ES256' })
      .sign(Buffer.from(issuer.publicKey('ES256')));
    for (const text of [unsecured, confused]) {
      await expect(open().verify(text)).rejects.toMatchObject(invalid('algorithm'));
    }
  });

  it('counts for none of the others', async () => {
    const issuers = open();
    expect(issuers.claims(await token({ issuer: 'https://elsewhere.example' }))).toBe(false);
    await expect(issuers.verify(await token({ issuer: 'https://elsewhere.example' }))).rejects.toMatchObject(
      invalid('issuer'),
    );
    for (const garbage of ['', 'x.y.z', 'a'.repeat(9_000)]) expect(issuers.claims(garbage)).toBe(false);
  });

  it('is of no use once it was revoked here', async () => {
    const revoked = new Set<string>();
    const check = (jti: string): void => {
      if (revoked.has(jti)) throw new Error('revoked');
    };
    const issuers = open({}, { revocations: { check } });
    const text = await token();
    const { jti } = await issuers.verify(text);
    revoked.add(jti);
    await expect(issuers.verify(text)).rejects.toThrow('revoked');
  });
});

describe('the keys of an external issuer', () => {
  it('are fetched once, and a verified token is recognised', async () => {
    const issuers = open();
    for (let call = 0; call < 5; call += 1) await issuers.verify(await token({ claims: { jti: String(call) } }));
    const text = await token();
    await issuers.verify(text);
    await issuers.verify(text);
    expect(issuer.asked).toEqual(['/.well-known/openid-configuration', '/.well-known/jwks']);
  });

  it('may rotate: an unknown key id has them fetched again, but not for each such token', async () => {
    const issuers = open({}, { refreshFloorMs: 0 });
    await issuers.verify(await token({ algorithm: 'ES256' }));
    await issuer.rotate('ES256');
    expect((await issuers.verify(await token({ algorithm: 'ES256' }))).principal.sub).toBe('corp:ann');
    const patient = open({}, { refreshFloorMs: 60_000 });
    await patient.verify(await token());
    const before = issuer.asked.length;
    for (const kid of ['a', 'b', 'c']) {
      await expect(patient.verify(await token({ header: { kid } }))).rejects.toMatchObject(invalid('key'));
    }
    expect(issuer.asked.length).toBe(before);
  });

  it('that cannot be fetched are no fault of the token', async () => {
    issuer.broken = true;
    const issuers = open();
    await expect(issuers.verify(await token())).rejects.toMatchObject({ code: 'IDENTITY_PROVIDER_UNAVAILABLE' });
    issuer.broken = false;
    expect((await issuers.verify(await token())).principal.sub).toBe('corp:ann');
    issuer.broken = true;
    expect((await issuers.verify(await token({ claims: { jti: 'two' } }))).jti).toBe('corp:two');
  });

  it('are not taken from a document of another issuer, nor without TLS', async () => {
    for (const discovery of [{ issuer: 'https://evil.example' }, { jwks_uri: 'http://evil.example/jwks' }]) {
      issuer.discovery = discovery;
      await expect(open().verify(await token())).rejects.toMatchObject({ code: 'IDENTITY_PROVIDER_UNAVAILABLE' });
    }
  });
});

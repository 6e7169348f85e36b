import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TokenExchange, type ExternalTrust } from '../../lib/identity/index.ts';
import { AUDIENCE, CLAIMS, OidcIssuer, type TokenOptions } from '../support/oidc-issuer.ts';

let issuer: OidcIssuer;
beforeEach(async () => {
  issuer = await OidcIssuer.start();
});
afterEach(() => issuer.stop());

const trust = (): ExternalTrust => ({
  issuer: issuer.url,
  keysUrl: `${issuer.url}/.well-known/jwks`,
  audience: AUDIENCE,
  repositoryId: CLAIMS.repository_id,
  ref: CLAIMS.ref,
  environment: CLAIMS.environment,
});
const exchange = () => new TokenExchange({ trust: trust() });
const verify = async (options: TokenOptions) => exchange().verify(await issuer.token(options));
const refusal = (message: string) => ({
  code: 'SUBJECT_TOKEN_INVALID',
  message: expect.stringContaining(message),
  field: 'subject_token',
});

describe('a token of the trusted pipeline', () => {
  it.each(['RS256', 'ES256'] as const)('is recognised when signed with %s', async (algorithm) => {
    expect(await verify({ algorithm })).toEqual({
      subject: 'oidc:repository:123456:environment:release',
      detail: {
        repository_id: '123456',
        ref: 'refs/heads/main',
        run_id: '77',
        run_attempt: '1',
        actor: 'ann',
        workflow_ref: CLAIMS.workflow_ref,
        sha: CLAIMS.sha,
      },
    });
  });
});

describe('any other token', () => {
  it.each<[string, TokenOptions, string]>([
    ['of another repository', { claims: { repository_id: '654321' } }, 'another repository_id'],
    ['of a repository with the same name', { claims: { repository_id: undefined } }, 'claim repository_id'],
    ['of another branch', { claims: { ref: 'refs/heads/feature' } }, 'another ref'],
    ['of a pull request', { claims: { ref: 'refs/pull/1/merge' } }, 'another ref'],
    ['of another environment', { claims: { environment: 'staging' } }, 'another environment'],
    ['of no environment', { claims: { environment: undefined } }, 'claim environment'],
    ['for another audience', { audience: 'other' }, 'another aud'],
    ['for several audiences', { audience: [AUDIENCE, 'other'] }, 'claim aud'],
    ['of another issuer', { issuer: 'https://issuer.example.org' }, 'another iss'],
    ['that has expired', { issuedAt: -600, expiresAt: -300 }, 'has expired'],
    ['that was issued long ago', { issuedAt: -3600 }, 'expired'],
    ['signed with another key', { forged: true }, 'is not valid'],
    ['signed with an algorithm that is not allowed', { algorithm: 'PS256' }, 'is not valid'],
    ['with a claim of another type', { claims: { repository_id: 123456 } }, 'claim repository_id'],
  ])('%s is refused', async (_what, options, message) => {
    await expect(verify(options)).rejects.toMatchObject(refusal(message));
  });

  it('that is unsigned, or signed with the public key as a secret, is refused', async () => {
    const [, payload = ''] = (await issuer.token()).split('.');
    for (const alg of ['none', 'HS256']) {
      const header = Buffer.from(JSON.stringify({ alg, typ: 'JWT', kid: 'RS256' })).toString('base64url');
      const signature = alg === 'none' ? '' : 'AAAA';
      await expect(exchange().verify(`${header}.${payload}.${signature}`)).rejects.toMatchObject({
        code: 'SUBJECT_TOKEN_INVALID',
      });
    }
  });

  it.each(['', 'no token', 'a.b.c', 'x'.repeat(9000)])('that is none is refused (%#)', async (token) => {
    await expect(exchange().verify(token)).rejects.toMatchObject({ code: 'SUBJECT_TOKEN_INVALID' });
  });
});

it('without a trusted issuer nothing is exchanged', async () => {
  const token = await issuer.token();
  await expect(new TokenExchange({ trust: undefined }).verify(token)).rejects.toMatchObject({
    code: 'TOKEN_EXCHANGE_OFF',
  });
});

it('keys that cannot be fetched are not the fault of the token', async () => {
  const token = await issuer.token();
  const one = exchange();
  issuer.broken = true;
  await expect(one.verify(token)).rejects.toMatchObject({ code: 'IDENTITY_PROVIDER_UNAVAILABLE' });
  issuer.broken = false;
  await expect(one.verify(token)).resolves.toMatchObject({ subject: expect.any(String) });
});

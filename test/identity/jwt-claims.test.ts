import { describe, expect, it } from '@jest/globals';
import { SignJWT, errors, generateKeyPair, jwtVerify } from 'jose';
import fc from 'fast-check';
import { wrongWith, type JwtClaims } from '../../lib/identity/jwt-claims.ts';

const NOW = 1_700_000_000;
const expected = {
  issuer: 'https://issuer.example',
  audience: 'saip',
  requiredClaims: ['exp', 'iat', 'sub'],
  maxTokenAge: 3600,
  now: () => NOW * 1000,
};
const good = { iss: expected.issuer, aud: 'saip', sub: 'ann', iat: NOW, exp: NOW + 60 };

describe('wrongWith', () => {
  it.each<[JwtClaims, string | undefined]>([
    [good, undefined],
    [{ ...good, aud: ['other', 'saip'] }, undefined],
    [{ ...good, aud: ['other'] }, 'audience'],
    [{ ...good, aud: { saip: true } }, 'audience'],
    [{ ...good, aud: 'saip-api' }, 'audience'],
    [{ ...good, iss: `${expected.issuer}/` }, 'issuer'],
    [{ ...good, iss: [expected.issuer] }, 'issuer'],
    [{ iss: good.iss, aud: 'saip', iat: NOW, exp: NOW + 60 }, 'claims'],
    [{ ...good, exp: String(NOW + 60) }, 'claims'],
    [{ ...good, exp: Number.POSITIVE_INFINITY }, 'claims'],
    [{ ...good, exp: null }, 'claims'],
    [{ ...good, exp: NOW - 30 }, 'expired'],
    [{ ...good, exp: NOW - 29 }, undefined],
    [{ ...good, nbf: NOW + 31 }, 'claims'],
    [{ ...good, nbf: NOW + 30 }, undefined],
    [{ ...good, iat: NOW + 31 }, 'claims'],
    [{ ...good, iat: NOW - 3631 }, 'expired'],
    [{ ...good, iat: NOW - 3630 }, undefined],
  ])('of %j says %s', (claims, reason) => {
    expect(wrongWith(claims, expected)).toBe(reason);
  });

  it('accepts and refuses what jose accepts and refuses', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const near = (time: number) => fc.option(fc.integer({ min: time - 40, max: time + 40 }), { nil: undefined });
    const claims = fc.record(
      {
        iss: fc.constantFrom(expected.issuer, 'https://other.example'),
        aud: fc.constantFrom<string | string[]>('saip', 'other', ['saip', 'other'], ['other'], []),
        sub: fc.constant('ann'),
        iat: fc.oneof(near(NOW), near(NOW - 3600)),
        exp: near(NOW),
        nbf: near(NOW),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(claims, async (given) => {
        const set = JSON.parse(JSON.stringify({ ...good, ...given })) as Record<string, unknown>;
        const token = await new SignJWT(set).setProtectedHeader({ alg: 'ES256' }).sign(privateKey);
        const accepted = await jwtVerify(token, publicKey, {
          ...expected,
          clockTolerance: 30,
          currentDate: new Date(NOW * 1000),
        }).then(
          () => true,
          (error: unknown) => {
            if (error instanceof errors.JOSEError) return false;
            throw error;
          },
        );
        expect(wrongWith(set, expected) === undefined).toBe(accepted);
      }),
      { numRuns: 500 },
    );
  });
});

import { beforeEach, describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import { TransitKeySet } from '../../lib/identity/index.ts';
import { LocalTransit } from '../support/local-transit.ts';

let clock: number;
let transit: LocalTransit;
let keys: TransitKeySet;

beforeEach(() => {
  clock = 1_000_000;
  transit = new LocalTransit();
  keys = new TransitKeySet({ transit, key: 'tokens', now: () => clock });
});

const signedKid = async () => decodeProtectedHeader(await keys.sign('at+jwt', {})).kid ?? '';

describe('TransitKeySet', () => {
  it('publishes bare public keys with their use', async () => {
    const [jwk] = (await keys.jwks()).keys;
    expect(jwk).toEqual({
      kty: 'EC',
      crv: 'P-256',
      x: expect.any(String),
      y: expect.any(String),
      kid: expect.any(String),
      use: 'sig',
      alg: 'ES256',
    });
  });

  it('reads the keys once for many callers', async () => {
    await Promise.all(Array.from({ length: 10 }, () => keys.jwks()));
    expect(transit.reads).toBe(1);
  });

  it('lets versions overlap during a rotation', async () => {
    const old = await signedKid();
    transit.rotate();
    expect(await signedKid()).toBe(old);
    clock += 300_000;
    const fresh = await signedKid();
    expect(fresh).not.toBe(old);
    expect((await keys.jwks()).keys.map(({ kid }) => kid)).toEqual([old, fresh]);
    expect(await keys.find(old)).toBeDefined();
  });

  it('signs with the newest version at once when the known one is retired', async () => {
    const old = await signedKid();
    transit.rotate();
    transit.retireOld();
    expect(await signedKid()).not.toBe(old);
    expect(await keys.find(old)).toBeUndefined();
  });

  it('reads again for an unknown key id, but not more often than every ten seconds', async () => {
    const other = new TransitKeySet({ transit, key: 'tokens', now: () => clock });
    await keys.jwks();
    transit.rotate();
    const fresh = decodeProtectedHeader(await other.sign('at+jwt', {})).kid ?? '';
    const before = transit.reads;
    expect(await keys.find(fresh)).toBeUndefined();
    expect(transit.reads).toBe(before);
    clock += 10_000;
    expect(await keys.find(fresh)).toBeDefined();
    expect(await keys.find('unknown')).toBeUndefined();
    expect(transit.reads).toBe(before + 1);
  });

  it('goes on with known keys for an hour while OpenBao is away', async () => {
    const kid = await signedKid();
    transit.away = true;
    clock += 3_599_999;
    expect(await keys.find(kid)).toBeDefined();
    clock += 1;
    await expect(keys.find(kid)).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
    transit.away = false;
    expect(await keys.find(kid)).toBeDefined();
  });
});

import { createHmac, randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SaipError } from '../../contracts/errors.ts';
import { apiKeyId, ApiKeyVerifier, looksLikeApiKey, mintApiKey, Revocations } from '../../lib/identity/index.ts';
import type { StoredKey } from '../../lib/identity/index.ts';

const MINUTE = 60_000;

describe('an API key', () => {
  it('names itself, and no two are the same', () => {
    const minted = Array.from({ length: 100 }, () => mintApiKey());
    expect(new Set(minted.map(({ key }) => key)).size).toBe(100);
    for (const { id, key } of minted) {
      expect(apiKeyId(key)).toBe(id);
      expect(looksLikeApiKey(key)).toBe(true);
    }
    const again = mintApiKey('abcdefghij23');
    expect(again.id).toBe('abcdefghij23');
    expect(again.key).not.toBe(mintApiKey('abcdefghij23').key);
  });

  it('with any character changed, added or left out is none', () => {
    const { key } = mintApiKey();
    fc.assert(
      fc.property(fc.nat(key.length - 1), fc.constantFrom(...'aZ2_-09fx '), (at, character) => {
        const changed = key.slice(0, at) + character + key.slice(at + 1);
        if (changed !== key) expect(apiKeyId(changed)).toBeUndefined();
        expect(apiKeyId(key.slice(0, at) + character + key.slice(at))).toBeUndefined();
        expect(apiKeyId(key.slice(0, at) + key.slice(at + 1))).toBeUndefined();
      }),
    );
    for (const other of ['', 'saip_', `${key}\n`, key.toUpperCase()]) expect(apiKeyId(other)).toBeUndefined();
  });
});

describe('ApiKeyVerifier', () => {
  let clock: number;
  let rows: Map<string, StoredKey>;
  let reads: number;
  let hashes: number;
  let uses: string[];
  let away: boolean;
  let verifier: ApiKeyVerifier;
  const secrets = [randomBytes(32), randomBytes(32)];

  const hmac = (key: string, version: number): string =>
    `vault:v${version}:${createHmac('sha256', secrets[version - 1] ?? '')
      .update(key)
      .digest('base64')}`;

  function add(changes: Partial<StoredKey> = {}, version = 1): { id: string; key: string } {
    const minted = mintApiKey();
    rows.set(minted.id, {
      ...{ id: minted.id, owner: 'ann', tenant: 'default', roles: ['predictor'], actions: ['model:infer'] },
      ...{ hash: hmac(minted.key, version), expiresAt: clock + 10 * MINUTE },
      ...changes,
    });
    return minted;
  }

  function change(id: string, changes: Partial<StoredKey>): void {
    const row = rows.get(id);
    if (row !== undefined) rows.set(id, { ...row, ...changes });
  }

  beforeEach(() => {
    clock = Date.UTC(2026, 0, 1);
    rows = new Map();
    [reads, hashes, uses, away] = [0, 0, [], false];
    verifier = new ApiKeyVerifier({
      now: () => clock,
      hash: async (key, like) => {
        hashes += 1;
        return hmac(key, Number(like.split(':')[1]?.slice(1)));
      },
      store: {
        find: async (id) => {
          reads += 1;
          if (away) throw new SaipError('DATABASE_UNAVAILABLE', 'away');
          return rows.get(id);
        },
        used: async (id) => {
          uses.push(id);
        },
      },
    });
  });

  const refusal = async (key: string): Promise<string> =>
    verifier.verify(key).then(
      () => 'accepted',
      (error: Error) => error.message,
    );

  it('accepts what was stored, and asks store and vault seldom', async () => {
    const { id, key } = add({ models: ['mnist'] });
    for (let i = 0; i < 50; i += 1) {
      expect(await verifier.verify(key)).toMatchObject({ id, owner: 'ann', models: ['mnist'] });
      clock += 100;
    }
    expect({ reads, hashes, uses }).toEqual({ reads: 2, hashes: 1, uses: [id] });
    clock += MINUTE;
    await verifier.verify(key);
    expect(uses).toEqual([id, id]);
  });

  it('reads once for requests that come together', async () => {
    const { key } = add();
    await Promise.all(Array.from({ length: 20 }, () => verifier.verify(key)));
    expect(reads).toBe(1);
  });

  it('tells strangers nothing about keys that exist', async () => {
    const { id } = add({ revokedAt: clock, expiresAt: clock });
    const forged = mintApiKey(id).key;
    const unknown = mintApiKey().key;
    expect(await refusal(forged)).toBe(await refusal(unknown));
    expect(await refusal('saip_x')).toBe('The API key is malformed.');
  });

  it('tells the holder why a key ended, and honours it within five seconds', async () => {
    const revoked = add();
    await verifier.verify(revoked.key);
    change(revoked.id, { revokedAt: clock });
    clock += 5_000;
    expect(await refusal(revoked.key)).toBe('The API key was revoked.');
    const expiring = add({ expiresAt: clock + 1 });
    await verifier.verify(expiring.key);
    clock += 1;
    expect(await refusal(expiring.key)).toBe('The API key has expired.');
  });

  it('accepts the former key while the rotation overlaps', async () => {
    const { id, key } = add();
    const next = mintApiKey(id).key;
    const former = { formerHash: rows.get(id)?.hash, formerUntil: clock + MINUTE };
    change(id, { ...former, hash: hmac(next, 2) });
    expect(await refusal(next)).toBe('accepted');
    expect(await refusal(key)).toBe('accepted');
    clock += MINUTE;
    expect(await refusal(next)).toBe('accepted');
    expect(await refusal(key)).toBe('The API key is unknown.');
  });

  it('goes on for a while without the store, with keys it knows', async () => {
    const { key } = add();
    const other = add().key;
    await verifier.verify(key);
    away = true;
    clock += 4 * MINUTE;
    expect(await refusal(key)).toBe('accepted');
    expect(await refusal(other)).toBe('away');
    clock += 2 * MINUTE;
    expect(await refusal(key)).toBe('away');
  });
});

describe('Revocations', () => {
  it('refuse a token at once here, and once the list says so', async () => {
    let listed = ['a'];
    let clock = 0;
    const revocations = new Revocations({ load: async () => listed, everyMs: 5, now: () => clock });
    expect(() => {
      revocations.check('a');
    }).toThrow('cannot be read');
    await revocations.start();
    const refused = (jti: string): boolean => {
      try {
        revocations.check(jti);
        return false;
      } catch {
        return true;
      }
    };
    expect(['a', 'b', 'c'].map(refused)).toEqual([true, false, false]);
    revocations.add('b');
    expect(refused('b')).toBe(true);
    listed = ['b', 'c'];
    while (!refused('c')) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(['a', 'b', 'c'].map(refused)).toEqual([false, true, true]);
    revocations.stop();
    clock += 6 * MINUTE;
    expect(refused('a')).toBe(true);
  });
});

import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { isSignedBy, SIGNATURE_BYTES } from '../../lib/identity/ecdsa.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const signed = (text: string): Buffer =>
  sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });

describe('isSignedBy', () => {
  it('accepts signatures however long their numbers are', async () => {
    const leading = new Set<boolean>();
    // One number in 256 begins with a zero byte, and half of them with a bit that must not be taken for a sign.
    for (let i = 0; i < 1_500; i += 1) {
      const signature = signed(String(i));
      for (const at of [0, SIGNATURE_BYTES / 2]) leading.add(signature[at] === 0);
      expect(await isSignedBy(publicKey, Buffer.from(String(i)), signature)).toBe(true);
    }
    expect(leading).toEqual(new Set([true, false]));
  });

  it('refuses what was changed, and numbers that no signature has', async () => {
    const data = Buffer.from('data');
    const right = signed('data');
    for (const at of [0, 31, 32, 63]) {
      const changed = Buffer.from(right);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(await isSignedBy(publicKey, data, changed)).toBe(false);
    }
    for (const byte of [0, 0xff]) expect(await isSignedBy(publicKey, data, Buffer.alloc(64, byte))).toBe(false);
    expect(await isSignedBy(publicKey, Buffer.from('date'), right)).toBe(false);
  });
});

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BaoError } from '../../lib/clients/index.ts';
import {
  createPayloadCodec,
  Keyring,
  type KeyWrapper,
  type Payload,
  type PayloadCodec,
} from '../../lib/codec/index.ts';

/** Wraps data keys under a key of this process. */
class LocalWrapper implements KeyWrapper {
  readonly #key = randomBytes(32);
  generated = 0;
  unwrapped = 0;
  failure: Error | undefined;

  async generate() {
    if (this.failure) throw this.failure;
    this.generated += 1;
    const plaintext = randomBytes(32);
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    const body = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    return { plaintext, wrapped: `local:${body.toString('base64')}` };
  }

  async unwrap(wrapped: string) {
    if (this.failure) throw this.failure;
    this.unwrapped += 1;
    const body = Buffer.from(wrapped.replace(/^local:/, ''), 'base64');
    if (body.length !== 60) throw new BaoError('SECRET_REJECTED', 'invalid ciphertext');
    const decipher = createDecipheriv('aes-256-gcm', this.#key, body.subarray(0, 12));
    decipher.setAuthTag(body.subarray(-16));
    return Buffer.concat([decipher.update(body.subarray(12, -16)), decipher.final()]);
  }
}

let clock: number;
let wrapper: LocalWrapper;
let codec: PayloadCodec;

const now = () => clock;
const keyring = () => new Keyring({ wrapper, now });

beforeEach(() => {
  clock = 0;
  wrapper = new LocalWrapper();
  codec = createPayloadCodec({ keyring: keyring() });
});

const bytes = fc.uint8Array({ maxLength: 300 });
const name = fc.string({ maxLength: 20 }).filter((text) => text !== '__proto__');
const metadata = fc.dictionary(name, bytes, { maxKeys: 4, noNullPrototype: true });
const payload = fc.record({ metadata, data: bytes });
const json: Payload = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"pin":"4711"}') };

function plain(value: Payload) {
  return {
    metadata: new Map(Object.entries(value.metadata ?? {}).map(([key, entry]) => [key, Buffer.from(entry)])),
    data: Buffer.from(value.data ?? []),
  };
}

describe('createPayloadCodec', () => {
  it('gives back what it encrypted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(payload, { maxLength: 4 }), async (payloads) => {
        const decoded = await codec.decode(await codec.encode(payloads));
        expect(decoded.map(plain)).toEqual(payloads.map(plain));
      }),
    );
  });

  it('gives back empty payloads', async () => {
    expect(await codec.decode(await codec.encode([{}, { metadata: null, data: null }]))).toEqual([
      { metadata: {}, data: new Uint8Array() },
      { metadata: {}, data: new Uint8Array() },
    ]);
    expect(await codec.encode([])).toEqual([]);
  });

  it('hides data and metadata', async () => {
    const [encrypted] = await codec.encode([json]);
    expect(Object.keys(encrypted?.metadata ?? {}).sort()).toEqual(['encoding', 'saip-cipher', 'saip-wrapped-key']);
    expect(Buffer.from(encrypted?.metadata['encoding'] ?? []).toString()).toBe('binary/encrypted');
    const visible = Buffer.concat([...Object.values(encrypted?.metadata ?? {}), encrypted?.data ?? Buffer.alloc(0)]);
    expect(visible.includes('4711')).toBe(false);
    expect(visible.includes('json/plain')).toBe(false);
  });

  it('never encrypts two payloads alike', async () => {
    const encrypted = await codec.encode(Array.from({ length: 200 }, () => json));
    expect(new Set(encrypted.map(({ data }) => Buffer.from(data.subarray(0, 12)).toString('hex'))).size).toBe(200);
  });

  it('refuses a change of any one byte of the data', async () => {
    const [encrypted] = await codec.encode([json]);
    const { metadata: clear, data } = encrypted ?? { metadata: {}, data: Buffer.alloc(0) };
    for (let at = 0; at < data.length; at += 1) {
      const changed = Buffer.from(data);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(codec.decode([{ metadata: clear, data: changed }])).rejects.toMatchObject({
        code: 'PAYLOAD_UNDECRYPTABLE',
      });
    }
  });

  it('refuses a change of any one byte of the metadata', async () => {
    const [encrypted] = await codec.encode([json]);
    for (const [name, value] of Object.entries(encrypted?.metadata ?? {})) {
      for (let at = 0; at < value.length; at += 1) {
        const changed = Buffer.from(value);
        changed[at] = (changed[at] ?? 0) ^ 1;
        const tampered = { ...encrypted, metadata: { ...encrypted?.metadata, [name]: changed } };
        await expect(codec.decode([tampered])).rejects.toMatchObject({ code: 'PAYLOAD_UNDECRYPTABLE' });
      }
    }
  });

  it('refuses metadata that was added or taken away, and data that was cut or extended', async () => {
    await fc.assert(
      fc.asyncProperty(payload, fc.nat(), bytes, async (original, cut, extra) => {
        const [{ metadata: clear, data } = { metadata: {}, data: Buffer.alloc(0) }] = await codec.encode([original]);
        const fewer = Object.fromEntries(Object.entries(clear).filter(([key]) => key !== 'saip-wrapped-key'));
        const tampered = [
          { metadata: { ...clear, extra }, data },
          { metadata: fewer, data },
          { metadata: clear, data: data.subarray(0, cut % data.length) },
          { metadata: clear, data: Buffer.concat([data, extra, Buffer.alloc(1)]) },
        ];
        for (const other of tampered) {
          await expect(codec.decode([other])).rejects.toMatchObject({ code: 'PAYLOAD_UNDECRYPTABLE' });
        }
      }),
      { numRuns: 30 },
    );
  });

  it('refuses clear payloads unless it is told to pass them', async () => {
    await expect(codec.decode([json])).rejects.toMatchObject({ code: 'PAYLOAD_UNDECRYPTABLE' });
    const showing = createPayloadCodec({ keyring: keyring(), plaintext: 'pass' });
    const [encrypted = {}] = await codec.encode([json]);
    expect((await showing.decode([json, encrypted])).map(plain)).toEqual([plain(json), plain(json)]);
  });

  it('refuses a payload of another platform', async () => {
    const [foreign = {}] = await codec.encode([json]);
    wrapper = new LocalWrapper();
    await expect(createPayloadCodec({ keyring: keyring() }).decode([foreign])).rejects.toMatchObject({
      code: 'PAYLOAD_UNDECRYPTABLE',
    });
  });

  it('passes on that OpenBao is away, so that the reading is tried again', async () => {
    const [encrypted = {}] = await codec.encode([json]);
    const fresh = createPayloadCodec({ keyring: keyring() });
    wrapper.failure = new BaoError('SECRET_UNAVAILABLE', 'away');
    await expect(fresh.decode([encrypted])).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
    wrapper.failure = undefined;
    expect((await fresh.decode([encrypted])).map(plain)).toEqual([plain(json)]);
  });
});

describe('Keyring', () => {
  it('asks for one data key for many payloads at once', async () => {
    await codec.encode(Array.from({ length: 50 }, () => json));
    expect(wrapper.generated).toBe(1);
  });

  it('rotates by age', async () => {
    const ring = new Keyring({ wrapper, maxAgeMs: 1000, now });
    const first = await ring.encryptionKey();
    clock = 999;
    expect((await ring.encryptionKey()).wrapped).toBe(first.wrapped);
    clock = 1000;
    expect((await ring.encryptionKey()).wrapped).not.toBe(first.wrapped);
  });

  it('rotates by uses, even when they come at once', async () => {
    const ring = new Keyring({ wrapper, maxUses: 10, now });
    const used = await Promise.all(Array.from({ length: 35 }, () => ring.encryptionKey()));
    const counts = new Map<string, number>();
    for (const { wrapped } of used) counts.set(wrapped, (counts.get(wrapped) ?? 0) + 1);
    expect([...counts.values()]).toEqual([10, 10, 10, 5]);
  });

  it('unwraps a key once, and the least recently used one again', async () => {
    const wrapped = await Promise.all(Array.from({ length: 3 }, async () => (await wrapper.generate()).wrapped));
    const [a = '', b = '', c = ''] = wrapped;
    const ring = new Keyring({ wrapper, cacheSize: 2, now });
    await Promise.all([ring.decryptionKey(a), ring.decryptionKey(a), ring.decryptionKey(b)]);
    expect(wrapper.unwrapped).toBe(2);
    await ring.decryptionKey(a);
    await ring.decryptionKey(c);
    await ring.decryptionKey(a);
    expect(wrapper.unwrapped).toBe(3);
    await ring.decryptionKey(b);
    expect(wrapper.unwrapped).toBe(4);
  });

  it('tries again after a failure', async () => {
    const ring = keyring();
    wrapper.failure = new BaoError('SECRET_UNAVAILABLE', 'away');
    await expect(ring.encryptionKey()).rejects.toMatchObject({ code: 'SECRET_UNAVAILABLE' });
    wrapper.failure = undefined;
    expect((await ring.encryptionKey()).key.symmetricKeySize).toBe(32);
  });
});

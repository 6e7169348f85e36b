import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  chmodSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const mediaType = 'application/octet-stream';

let root: string;
let store: ArtifactStore;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'saip-artifacts-'));
  store = new ArtifactStore({ root });
});
afterEach(() => rmSync(root, { recursive: true }));

async function damaged(change: (path: string) => void): Promise<ArtifactRef> {
  const ref = await store.put(Buffer.from('what was stored'), { mediaType });
  const path = await store.path(ref);
  chmodSync(path, 0o640);
  change(path);
  return ref;
}

describe('put and read', () => {
  it('gives back any bytes, whatever the chunks they came in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 500 }), { maxLength: 5 }), async (chunks) => {
        const whole = Buffer.concat(chunks);
        const ref = await store.put(
          (async function* () {
            yield* chunks;
          })(),
          { mediaType },
        );
        expect(ref).toEqual({
          uri: `cas://sha256/${sha256(whole)}`,
          sha256: sha256(whole),
          bytes: whole.byteLength,
          mediaType,
        });
        expect((await store.read(ref)).equals(whole)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it('stores equal bytes once, read-only, and leaves nothing else behind', async () => {
    const refs = await Promise.all(Array.from({ length: 8 }, () => store.put(Buffer.from('same'), { mediaType })));
    expect(new Set(refs.map((ref) => ref.sha256)).size).toBe(1);
    const path = await store.path(refs[0] as ArtifactRef);
    expect(statSync(path).mode & 0o777).toBe(0o440);
    expect(readdirSync(join(root, 'tmp'))).toEqual([]);
  });

  it('copies a file', async () => {
    const path = join(root, 'outside.bin');
    writeFileSync(path, 'from a file');
    expect((await store.read(await store.putFile(path, { mediaType }))).toString()).toBe('from a file');
    await expect(store.putFile(join(root, 'none'), { mediaType })).rejects.toMatchObject({ code: 'ENOENT' });
    expect(readdirSync(join(root, 'tmp'))).toEqual([]);
  });

  it('gives equal values one digest (RFC 8785)', async () => {
    const ref = await store.putJson({ b: [1, 1e21], a: '€' });
    expect(ref).toEqual(await store.putJson({ a: '€', b: [1, 1e21] }));
    expect((await store.read(ref)).toString()).toBe('{"a":"€","b":[1,1e+21]}');
    expect(await store.readJson(ref, z.object({ a: z.string(), b: z.array(z.number()) }))).toEqual({
      a: '€',
      b: [1, 1e21],
    });
    await expect(store.readJson(ref, z.object({ c: z.string() }))).rejects.toThrow(z.ZodError);
    await expect(store.putJson(undefined)).rejects.toThrow(TypeError);
  });
});

describe('verification', () => {
  it.each([
    ['a changed byte', (path: string): void => writeFileSync(path, 'what was st0red')],
    ['a lost tail', (path: string): void => truncateSync(path, 4)],
    ['an added tail', (path: string): void => writeFileSync(path, '!', { flag: 'a' })],
  ])('refuses %s, and mends it when the bytes are stored again', async (_, change) => {
    const ref = await damaged(change);
    await expect(store.read(ref)).rejects.toMatchObject({ code: 'ARTIFACT_DIGEST_MISMATCH', field: ref.uri });
    await expect(store.path(ref)).rejects.toMatchObject({ code: 'ARTIFACT_DIGEST_MISMATCH' });
    expect(await store.exists(ref)).toBe(false);
    await store.put(Buffer.from('what was stored'), { mediaType });
    expect(await store.exists(ref)).toBe(true);
  });

  it('refuses a reference whose length is another', async () => {
    const ref = await store.put(Buffer.from('abc'), { mediaType });
    await expect(store.read({ ...ref, bytes: 2 })).rejects.toMatchObject({ code: 'ARTIFACT_DIGEST_MISMATCH' });
  });

  it('says that an artifact is not there', async () => {
    const digest = sha256(Buffer.from('never stored'));
    const ref = { uri: `cas://sha256/${digest}`, sha256: digest, bytes: 12, mediaType };
    await expect(store.read(ref)).rejects.toMatchObject({ code: 'ARTIFACT_NOT_FOUND', field: ref.uri });
    expect(await store.exists(ref)).toBe(false);
  });

  it('lets no reference lead out of the store', async () => {
    const ref = await store.put(Buffer.from('abc'), { mediaType });
    for (const changed of [
      { uri: 'cas://sha256/../../etc/passwd' },
      { uri: 'file:///etc/passwd' },
      { sha256: '../../../etc/passwd', uri: 'cas://sha256/../../../etc/passwd' },
      { uri: ref.uri.toUpperCase() },
    ]) {
      await expect(store.read({ ...ref, ...changed })).rejects.toMatchObject({ code: 'ARTIFACT_NOT_FOUND' });
    }
  });
});

describe('failed writes', () => {
  it('keeps nothing when the source fails, and passes its error on', async () => {
    const failing = (async function* () {
      yield Buffer.from('half');
      throw new Error('source broke');
    })();
    await expect(store.put(failing, { mediaType })).rejects.toThrow('source broke');
    expect(readdirSync(join(root, 'tmp'))).toEqual([]);
  });

  it('says that the disk does not take the bytes', async () => {
    rmSync(join(root, 'tmp'), { recursive: true });
    writeFileSync(join(root, 'tmp'), 'not a folder');
    await expect(store.put(Buffer.from('x'), { mediaType })).rejects.toMatchObject({
      code: 'ARTIFACT_WRITE_FAILED',
      cause: { code: 'ENOTDIR' },
    });
  });
});

describe('leftovers', () => {
  it('removes those of dead writers only', () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    const unique = '00000000-0000-4000-8000-000000000000';
    const names = {
      dead: `${dead}@${encodeURIComponent(hostname())}.${unique}`,
      alive: `${process.pid}@${encodeURIComponent(hostname())}.${unique}`,
      elsewhere: `${dead}@another-host.${unique}`,
    };
    for (const name of Object.values(names)) writeFileSync(join(root, 'tmp', name), '');
    new ArtifactStore({ root });
    expect(existsSync(join(root, 'tmp', names.dead))).toBe(false);
    expect(existsSync(join(root, 'tmp', names.alive))).toBe(true);
    expect(existsSync(join(root, 'tmp', names.elsewhere))).toBe(true);
  });
});

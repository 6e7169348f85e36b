import { describe, expect, it } from '@jest/globals';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  FolderSource,
  commit,
  encodeLeaf,
  exportLog,
  formatVerifierKey,
  openCheckpoint,
  openNote,
  parseVerifierKey,
  verifyLog,
  Witness,
  type Damage,
} from '../../lib/audit/index.ts';
import { MemoryLog, newKey, tilesOver } from './support/memory-log.ts';
import { leafHash } from '../../lib/audit/index.ts';
import { canonical } from '../../lib/audit/log/canonical.ts';

/** From C2SP signed-note and tlog-checkpoint. */
const VKEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const NOTE = `This is an example message.

\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;

describe('signed notes', () => {
  it('are those of the specification', () => {
    const key = parseVerifierKey(VKEY);
    expect(formatVerifierKey(key)).toBe(VKEY);
    expect(openNote(NOTE, [key])).toBe('This is an example message.\n');
  });

  it('are refused when text, signature or key differ', () => {
    const key = parseVerifierKey(VKEY);
    expect(() => openNote(NOTE.replace('example m', 'exemplary m'), [key])).toThrow(/does not belong/);
    expect(() => openNote(NOTE, [newKey('example.com/foo').key])).toThrow(/None of the trusted/);
    expect(() => openNote(NOTE.replace('\n\n', '\n'), [key])).toThrow(/no signed note/);
    expect(() => openNote(NOTE.replace('an ', 'an\t'), [key])).toThrow(/no signed note/);
    expect(() => parseVerifierKey(VKEY.replace('530d903a', '530d903b'))).toThrow(/does not belong/);
  });

  it('pass over signatures of others', async () => {
    const mine = newKey();
    const log = new MemoryLog(['a']);
    const note = `${await log.sign(mine)}${NOTE.split('\n').at(-2)}\n`;
    expect(openCheckpoint(note, [mine.key]).size).toBe(1);
    expect(() => openCheckpoint(note, [newKey('log.test/audit').key])).toThrow(/None/);
  });
});

const entries = Array.from({ length: 600 }, (_, index) => `entry ${index}`);
const key = newKey();

/** A log of 600 entries with heads signed at 100, 300 and 600. */
async function signedLog(): Promise<MemoryLog> {
  const log = new MemoryLog(entries);
  for (const size of [100, 300, 600]) await log.sign(key, size);
  return log;
}

async function damageOf(
  log: MemoryLog,
  options: Partial<Parameters<typeof verifyLog>[0]> = {},
): Promise<Damage | undefined> {
  return (await verifyLog({ source: log, keys: [key.key], ...options })).damage;
}

describe('verification', () => {
  it('finds a log whole, and counts its heads', async () => {
    const { damage, checkpoint, heads } = await verifyLog({ source: await signedLog(), keys: [key.key] });
    expect({ damage, size: checkpoint.size, heads }).toEqual({ damage: undefined, size: 600, heads: 3 });
  });

  it.each<[string, (list: Uint8Array[]) => void, number, Damage['kind']]>([
    ['an edit', (list) => (list[417] = Buffer.from('other')), 417, 'edited'],
    ['a deletion', (list) => list.splice(256, 1), 256, 'edited'],
    ['an insertion', (list) => list.splice(12, 0, Buffer.from('new')), 12, 'edited'],
    ['another order', (list) => list.splice(40, 2, ...list.slice(40, 42).reverse()), 40, 'edited'],
    ['a duplicate', (list) => list.splice(99, 0, Buffer.from('entry 98')), 99, 'edited'],
    ['a cut', (list) => (list.length = 512), 512, 'missing'],
    [
      'a cut with new entries',
      (list) => list.splice(590, 10, ...Array<Buffer>(10).fill(Buffer.from('x'))),
      590,
      'edited',
    ],
  ])('names the first leaf after %s', async (_, tamper, index, kind) => {
    const log = await signedLog();
    tamper(log.entriesOf);
    expect(await damageOf(log)).toMatchObject({ kind, index });
  });

  it('names between which signed heads a log was rewritten and hashed again', async () => {
    const log = await signedLog();
    log.entriesOf[150] = Buffer.from('other');
    log.rehash();
    expect(await damageOf(log)).toMatchObject({ kind: 'rewritten', index: 100, before: 300 });
  });

  it('names the very leaf where a copy of the tiles was kept', async () => {
    const copy = { tiles: tilesOver(entries.map((entry) => leafHash(Buffer.from(entry)))), size: 600 };
    const log = await signedLog();
    log.entriesOf[150] = Buffer.from('other');
    log.rehash();
    expect(await damageOf(log, { copy })).toMatchObject({ kind: 'edited', index: 150 });
  });

  it('notices a rewritten log that was signed again, by the checkpoint that was kept', async () => {
    const kept = openCheckpoint(await (await signedLog()).sign(key, 300), [key.key]);
    const log = new MemoryLog(entries.map((entry, index) => (index === 7 ? 'other' : entry)));
    await log.sign(key);
    expect(await damageOf(log)).toBeUndefined();
    expect(await damageOf(log, { kept })).toMatchObject({ kind: 'rewritten', index: 0, before: 300 });
  });

  it('notices a fork of the same size', async () => {
    const kept = openCheckpoint(await (await signedLog()).sign(key), [key.key]);
    const log = new MemoryLog([...entries.slice(0, 599), 'other end']);
    await log.sign(key, 300);
    await log.sign(key);
    expect(await damageOf(log, { kept })).toMatchObject({ kind: 'rewritten', index: 300, before: 600 });
  });

  it('notices a log that shrank to an earlier signed head', async () => {
    const whole = await signedLog();
    const kept = openCheckpoint(await whole.checkpoint(), [key.key]);
    const log = new MemoryLog(entries.slice(0, 300));
    log.notes = whole.notes.slice(0, 2);
    expect(await damageOf(log)).toBeUndefined();
    expect(await damageOf(log, { kept })).toMatchObject({ kind: 'shrunk', index: 300 });
  });

  it('notices a tile above the leaves that was changed', async () => {
    const log = await signedLog();
    const honest = log.tile.bind(log);
    log.tile = (tile) => (tile.level === 1 ? Promise.resolve(Buffer.alloc(tile.width * 32)) : honest(tile));
    expect(await damageOf(log)).toMatchObject({ kind: 'tile', index: 0 });
  });

  it('believes no key but those it was told', async () => {
    const log = await signedLog();
    await expect(verifyLog({ source: log, keys: [newKey().key] })).rejects.toMatchObject({
      code: 'AUDIT_KEY_UNTRUSTED',
    });
  });

  it('needs no more than an exported folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'saip-audit-'));
    try {
      const to = join(folder, 'log');
      const { size } = await exportLog(await signedLog(), to, [key.key]);
      expect(size).toBe(600);
      const source = new FolderSource(to);
      expect(await verifyLog({ source, keys: [key.key] })).toMatchObject({ heads: 3, checkpoint: { size: 600 } });
      const file = join(to, 'tile', 'entries', '001');
      const bytes = await readFile(file);
      bytes[bytes.length - 1] = 0;
      await writeFile(file, bytes);
      const { damage } = await verifyLog({ source, keys: [key.key] });
      expect(damage).toMatchObject({ kind: 'edited', index: 511 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** Detail of a record, now and then with names that an object puts in another order, and text that needs escapes. */
const texts = fc.dictionary(
  fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', '10', '9', 'digest', 'a\u2028', '\ud800x')),
  fc.string({ unit: 'binary' }),
);

describe('canonical JSON', () => {
  it('is what the library makes, whatever is in a record', () => {
    fc.assert(
      fc.property(
        texts,
        fc.string({ unit: 'binary' }),
        fc.option(fc.string(), { nil: undefined }),
        (detail, actor, v) => {
          const value = { detail, actor, v, n: 1 };
          const made = (make: (value: object) => string | undefined): string | undefined => {
            try {
              return make(value);
            } catch {
              return 'no form';
            }
          };
          expect(made(canonical)).toBe(made(canonicalize));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('the witness', () => {
  it('keeps the newest checkpoint in a file, and says when the file is damaged', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'saip-audit-'));
    const file = join(folder, 'witness.json');
    try {
      const checkpoint = openCheckpoint(await (await signedLog()).checkpoint(), [key.key]);
      expect(await new Witness(file).recall(checkpoint.origin)).toBeUndefined();
      await new Witness(file).keep(checkpoint, [formatVerifierKey(key.key)]);
      expect((await new Witness(file).recall(checkpoint.origin))?.checkpoint?.size).toBe(600);
      await writeFile(file, '{');
      await expect(new Witness(file).recall(checkpoint.origin)).rejects.toMatchObject({ code: 'AUDIT_NOTE_INVALID' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('records', () => {
  const record = {
    id: '00000000-0000-4000-8000-000000000000',
    at: '2026-01-01T00:00:00.000000Z',
    action: 'model:infer',
    decision: 'allow',
    subject: 'model:m/1',
    actor: 'ann',
    detail: { b: '2', a: '1' },
  };

  it('have leaves in canonical JSON that hold nothing personal', () => {
    const salt = Buffer.alloc(32, 7);
    const leaf = encodeLeaf(record, commit(record, salt)).toString();
    expect(leaf).toMatch(
      /^\{"action":"model:infer","at":"2026-01-01T00:00:00\.000000Z","decision":"allow","id":"[^"]+","personal":"[0-9a-f]{64}","subject":"model:m\/1","v":1\}$/,
    );
    expect(leaf).not.toContain('ann');
    expect(encodeLeaf({ ...record, subject: 'client:ann' }, commit(record, salt)).toString()).not.toContain('ann');
  });

  it('commit to every personal field, under their salt', () => {
    const salt = Buffer.alloc(32, 7);
    const all = [
      commit(record, salt),
      commit({ ...record, actor: 'bob' }, salt),
      commit({ ...record, detail: { a: '1' } }, salt),
      commit({ ...record, traceId: 'x' }, salt),
      commit({ ...record, subject: 'client:ann' }, salt),
      commit(record, Buffer.alloc(32, 8)),
    ].map((bytes) => bytes.toString('hex'));
    expect(new Set(all).size).toBe(all.length);
    expect(commit({ ...record, detail: { a: '1', b: '2' } }, salt)).toEqual(commit(record, salt));
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  CompactRange,
  EMPTY_ROOT,
  TileBuilder,
  consistencyProof,
  inclusionProof,
  leafHash,
  nodeHash,
  parseTilePath,
  rootAt,
  tilePath,
  tilesOf,
  verifyConsistency,
  verifyInclusion,
} from '../../lib/audit/index.ts';
import { tilesOver } from './support/memory-log.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const base64 = z
  .string()
  .nullable()
  .transform((text) => Buffer.from(text ?? '', 'base64'));

/** The published probes of transparency-dev/merkle, `testdata/`. */
function probes<T extends z.ZodRawShape>(kind: string, shape: T) {
  const Probe = z.object({
    ...shape,
    proof: z.array(base64).nullable(),
    desc: z.string(),
    wantErr: z.boolean(),
    file: z.string(),
  });
  const text = readFileSync(join(import.meta.dirname, 'fixtures', `${kind}.json`), 'utf8');
  return z.object({ probes: z.array(Probe) }).parse(JSON.parse(text)).probes;
}

/** The inputs and roots that CT implementations share (transparency-dev/merkle, `cmd/proofgen/main.go`). */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const hashes = LEAVES.map((leaf) => leafHash(Buffer.from(leaf, 'hex')));

describe('hashing as in RFC 6962', () => {
  it('gives the published hashes', () => {
    expect(hex(EMPTY_ROOT)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(hex(leafHash(Buffer.from('L123456')))).toBe(
      '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56',
    );
    expect(hex(nodeHash(Buffer.from('N123'), Buffer.from('N456')))).toBe(
      'aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb',
    );
  });

  it('gives the published roots, whichever way the tree grows', async () => {
    const range = new CompactRange();
    const builder = new TileBuilder(0);
    for (const [index, hash] of hashes.entries()) {
      range.append(hash);
      builder.append(hash);
      const wanted = ROOTS[index];
      expect([hex(range.root()), hex(builder.root())]).toEqual([wanted, wanted]);
      expect(hex(await rootAt(tilesOver(hashes), index + 1))).toBe(wanted);
    }
  });
});

describe('the published probes', () => {
  it('of inclusion are judged as they should be', () => {
    const all = probes('inclusion', { leafIdx: z.number(), treeSize: z.number(), root: base64, leafHash: base64 });
    expect(all.length).toBeGreaterThan(90);
    for (const { leafIdx, treeSize, leafHash: leaf, root, proof, wantErr, file } of all) {
      const valid = verifyInclusion({ index: leafIdx, size: treeSize, leaf, root, proof: proof ?? [] });
      expect({ file, valid }).toEqual({ file, valid: !wantErr });
    }
  });

  it('of consistency are judged as they should be', () => {
    const all = probes('consistency', { size1: z.number(), size2: z.number(), root1: base64, root2: base64 });
    expect(all.length).toBeGreaterThan(90);
    for (const { size1, size2, root1, root2, proof, wantErr, file } of all) {
      const claim = { from: size1, to: size2, fromRoot: root1, toRoot: root2, proof: proof ?? [] };
      expect({ file, valid: verifyConsistency(claim) }).toEqual({ file, valid: !wantErr });
    }
  });

  it('are what this log proves', async () => {
    const tiles = tilesOver(hashes);
    const inclusion = probes('inclusion', { leafIdx: z.number(), treeSize: z.number() });
    for (const { leafIdx, treeSize, proof } of inclusion.filter(({ file }) => /\/\d\/happy-path$/.test(file))) {
      expect((await inclusionProof(tiles, leafIdx, treeSize)).map(hex)).toEqual((proof ?? []).map(hex));
    }
    const consistency = probes('consistency', { size1: z.number(), size2: z.number() });
    for (const { size1, size2, proof } of consistency.filter(({ file }) => /\/\d\/happy-path$/.test(file))) {
      expect((await consistencyProof(tiles, size1, size2)).map(hex)).toEqual((proof ?? []).map(hex));
    }
  });
});

/** Trees whose sizes lie around those where tiles are completed. */
const size = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 250, max: 520 }), fc.constant(66_000));
const many = Array.from({ length: 66_000 }, (_, index) => leafHash(Buffer.from(String(index))));
const whole = tilesOver(many);
const rootOf = async (n: number) => rootAt(tilesOver(many.slice(0, n)), n);

describe('proofs of trees of any size', () => {
  it('show every leaf, and no other one', async () => {
    await fc.assert(
      fc.asyncProperty(size, fc.nat(), fc.nat(), async (n, seed, flipped) => {
        const index = seed % n;
        const root = await rootAt(whole, n);
        const proof = await inclusionProof(whole, index, n);
        const leaf = many[index] ?? EMPTY_ROOT;
        expect(verifyInclusion({ index, size: n, leaf, root, proof })).toBe(true);
        expect(verifyInclusion({ index, size: n, leaf: EMPTY_ROOT, root, proof })).toBe(false);
        expect(verifyInclusion({ index, size: n, leaf, root, proof: [...proof, EMPTY_ROOT] })).toBe(false);
        if (proof.length === 0) return;
        const broken = proof.map((hash, at) => (at === flipped % proof.length ? leafHash(hash) : hash));
        expect(verifyInclusion({ index, size: n, leaf, root, proof: broken })).toBe(false);
        expect(verifyInclusion({ index, size: n, leaf, root, proof: proof.slice(1) })).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('show that one tree continues another', async () => {
    await fc.assert(
      fc.asyncProperty(size, fc.nat(), async (to, seed) => {
        const from = 1 + (seed % to);
        const [fromRoot, toRoot] = [await rootOf(Math.min(from, 600)), await rootAt(whole, to)];
        if (from > 600) return;
        const proof = await consistencyProof(whole, from, to);
        expect(verifyConsistency({ from, to, fromRoot, toRoot, proof })).toBe(true);
        if (from === to) return;
        expect(verifyConsistency({ from, to, fromRoot: EMPTY_ROOT, toRoot, proof })).toBe(false);
        expect(verifyConsistency({ from, to, fromRoot, toRoot: EMPTY_ROOT, proof })).toBe(false);
        expect(verifyConsistency({ from, to, fromRoot, toRoot, proof: proof.slice(0, -1) })).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('read few tiles, however large the tree is', async () => {
    const read = new Set<string>();
    const counted = { tile: (tile: Parameters<typeof whole.tile>[0]) => (read.add(tilePath(tile)), whole.tile(tile)) };
    await inclusionProof(counted, 12_345, 66_000);
    expect(read.size).toBeLessThanOrEqual(6);
  });

  it('refuse what the tree does not hold', async () => {
    for (const work of [
      inclusionProof(whole, 5, 5),
      consistencyProof(whole, 6, 5),
      inclusionProof(whole, -1, 5),
      rootAt(whole, 70_000),
    ]) {
      await expect(work).rejects.toMatchObject({ code: 'AUDIT_RANGE_UNKNOWN' });
    }
  });
});

describe('tiles', () => {
  it('go on where a tree was left off', () => {
    fc.assert(
      fc.property(size, size, (first, more) => {
        const before = new TileBuilder(0);
        for (const hash of many.slice(0, first)) before.append(hash);
        const edge = before.changes().filter(({ hashes: bytes }) => bytes.length < 8192);
        const after = new TileBuilder(first, edge);
        const straight = new CompactRange();
        const end = Math.min(many.length, first + Math.min(more, 600));
        for (const hash of many.slice(first, end)) after.append(hash);
        for (const hash of many.slice(0, end)) straight.append(hash);
        expect(hex(after.root())).toBe(hex(straight.root()));
      }),
      { numRuns: 25 },
    );
  });

  it('of a tree of 70,000 leaves are those of the specification', () => {
    const all = [...tilesOf(70_000)];
    const of = (level: number) => all.filter((tile) => tile.level === level).map(({ width }) => width);
    expect(of(0)).toHaveLength(274);
    expect(of(0).at(-1)).toBe(112);
    expect([of(1), of(2), of(3)]).toEqual([[256, 17], [1], []]);
    expect([...tilesOf(256)].map(tilePath)).toEqual(['tile/0/000', 'tile/1/000.p/1']);
  });

  it('have the paths of the specification', () => {
    const tile = { level: 3, index: 1_234_067, width: 256 };
    expect(tilePath(tile)).toBe('tile/3/x001/x234/067');
    expect(parseTilePath('3/x001/x234/067')).toEqual(tile);
    expect(parseTilePath('entries/000.p/7')).toEqual({ level: 'entries', index: 0, width: 7 });
    for (const path of ['64/000', '0/1', '0/x000/001', '00/000', '0/000.p/0', '0/000.p/256', '../000', '0/x1/000']) {
      expect([path, parseTilePath(path)]).toEqual([path, undefined]);
    }
  });
});

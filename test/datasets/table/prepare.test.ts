import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { PreparedManifest } from '../../../contracts/prepared-data.ts';
import type { PreparedTable } from '../../../contracts/prepared-data.ts';
import { ArtifactStore } from '../../../lib/artifacts/index.ts';
import { datasetNames, loadCard, prepare, readFloat32, readInt32, verifyDataset } from '../../../lib/datasets/index.ts';
import { holdOut } from '../../../lib/datasets/table/held-out.ts';
import { medians } from '../../../lib/datasets/table/median.ts';
import { peopleTable } from './people.ts';

const root = mkdtempSync(path.join(tmpdir(), 'saip-table-'));
const store = new ArtifactStore({ root });
afterAll(() => rmSync(root, { recursive: true }));

async function table(dataset: string, seed = 42): Promise<PreparedTable> {
  const { manifest } = await prepare({ dataset, seed, validationShare: 0.1, store });
  if (manifest.version !== 2) throw new Error(`${dataset} is no table`);
  return manifest;
}

describe("a table of one's own", () => {
  it('has the copies of a row on one side, and its shares in expectation', async () => {
    const { splits, columns } = await peopleTable(store, { rows: 600, seed: 5, copies: 3, splitBy: 'content' });
    const rowsOf = async ({ x }: { x: typeof splits.test.x }): Promise<Set<string>> => {
      const values = await readFloat32(await store.path(x));
      const rows = Array.from({ length: values.length / columns.length }, (_, row) =>
        values.slice(row * columns.length, (row + 1) * columns.length).join(),
      );
      return new Set(rows);
    };
    const sides = await Promise.all([splits.train, splits.validation, splits.test].map(rowsOf));
    const different = sides.reduce((sum, rows) => sum + rows.size, 0);
    expect(new Set(sides.flatMap((rows) => [...rows])).size).toBe(different);
    expect(splits.test.count / 1800).toBeCloseTo(0.2, 1);
    expect(splits.validation.count / (splits.train.count + splits.validation.count)).toBeCloseTo(0.1, 1);
  });
});

describe('built-in tables', () => {
  it.each(['breast-cancer', 'diabetes', 'digits', 'iris', 'wine'])(
    '%s is whole, described and prepared',
    async (name) => {
      expect(datasetNames()).toContain(name);
      const { card } = await verifyDataset(name);
      const schema = card['saip:table'];
      const fields = card.recordSet
        .find((records) => records['@id'] === 'records')
        ?.field.map((field) => field['name']);
      expect(fields).toEqual([...(schema?.features ?? []), schema?.target].map((column) => column?.name));
      const manifest = await table(name);
      expect(PreparedManifest.parse(manifest)).toEqual(manifest);
      const { train, validation, test } = manifest.splits;
      const all = train.count + validation.count + test.count;
      expect(test.count / all).toBeCloseTo(0.2, 1);
      expect((await readFloat32(await store.path(test.x))).length).toBe(test.count * manifest.columns.length);
    },
  );

  it('keeps the class frequencies in every split', async () => {
    const { splits } = await table('iris');
    const counts = async (split: keyof typeof splits): Promise<number[]> => {
      const y = await readInt32(await store.path(splits[split].y));
      return [0, 1, 2].map((label) => y.filter((value) => value === label).length);
    };
    expect(await counts('test')).toEqual([10, 10, 10]);
    expect(await counts('validation')).toEqual([4, 4, 4]);
    expect(await counts('train')).toEqual([36, 36, 36]);
  });

  it('gives the same manifest twice, another validation split by another seed, and always the same test split', async () => {
    const [first, second, other] = [await table('wine'), await table('wine'), await table('wine', 7)];
    expect(second).toEqual(first);
    expect(other.splits.test).toEqual(first.splits.test);
    expect(other.splits.validation.x.sha256).not.toBe(first.splits.validation.x.sha256);
  });

  it('refuses a card whose target is a feature, or whose feature is named as an output', async () => {
    const { parseCard } = await import('../../../lib/datasets/index.ts');
    const card = await loadCard('iris');
    const changed = (name: string): unknown => {
      const copy = structuredClone(card);
      Object.assign(copy['saip:table']?.features[0] ?? {}, { name });
      return copy;
    };
    const refused = { code: 'DATASET_CARD_INVALID', field: 'saip:table.features[0]' };
    expect(() => parseCard(changed('species'), 'card')).toThrow(expect.objectContaining(refused));
    expect(() => parseCard(changed('probabilities'), 'card')).toThrow(expect.objectContaining(refused));
  });
});

describe('prepareTable', () => {
  it('fits medians, scales and ranges on the training split alone', async () => {
    const manifest = await peopleTable(store, { rows: 500, seed: 3 });
    const x = await readFloat32(await store.path(manifest.splits.train.x));
    const columns = manifest.columns.length;
    const weights = Array.from(x.filter((_, i) => i % columns === 1));
    const known = weights.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
    expect(known.length).toBeLessThan(weights.length);
    const middle = (known[(known.length - 1) >> 1]! + known[known.length >> 1]!) / 2;
    const weight = manifest.columns[1];
    expect(weight).toMatchObject({ kind: 'numeric', imputed: Math.fround(middle) });
    expect(weight).toHaveProperty(
      'range',
      [known[0], known.at(-1)].map((value) => expect.closeTo(value!, 4)),
    );
    const filled = weights.map((value) => (Number.isNaN(value) ? middle : value));
    const mean = filled.reduce((sum, value) => sum + value, 0) / filled.length;
    const deviation = Math.sqrt(filled.reduce((sum, value) => sum + (value - mean) ** 2, 0) / filled.length);
    expect(manifest.preprocessing.scale[1]).toBeCloseTo(1 / deviation, 6);
    expect(manifest.preprocessing.offset[1]).toBeCloseTo(-mean / deviation, 4);
    // One-hot entries stay as they are: age, weight, smokes and its gap, three towns and their gap.
    expect(manifest.input.shape).toEqual([8]);
    expect(manifest.preprocessing.scale.slice(2)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('refuses a table that leaves a label without a row to train on', async () => {
    await expect(peopleTable(store, { rows: 3, seed: 3 })).rejects.toMatchObject({ code: 'DATASET_SPLIT_INVALID' });
  });
});

describe('holdOut', () => {
  it('takes the share of every stratum up to one member', () => {
    const chosen = holdOut('key', 0.3);
    const taken = Array.from({ length: 1000 }, (_, i) => (chosen(i % 2) ? i : -1)).filter((i) => i >= 0);
    for (const stratum of [0, 1]) {
      expect(Math.abs(taken.filter((i) => i % 2 === stratum).length - 150)).toBeLessThanOrEqual(1);
    }
  });
});

describe('medians', () => {
  it('finds the exact median of any floats, NaN left out', async () => {
    const columns = [
      [3, -2, 0.5, Number.NaN, 1e30, -1e-30],
      [Number.NaN, Number.NaN, Number.NaN, Number.NaN, Number.NaN, Number.NaN],
      [-5, -4, -3, -2, -1, -0.25],
    ];
    async function* rows(): AsyncGenerator<Float32Array> {
      for (let row = 0; row < 6; row += 1) yield Float32Array.from(columns, (column) => column[row] as number);
    }
    expect(await medians(rows, [0, 1, 2])).toEqual([0.5, undefined, -2.5]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { SeenRows } from '../../../lib/datasets/table/duplicates.ts';
import { rowDigest } from '../../../lib/datasets/index.ts';
import { Reservoir } from '../../../lib/datasets/table/reservoir.ts';
import { analysed, column, csv } from './support/analysed.ts';

const label = (index: number): string => (index % 3 === 0 ? 'a' : 'b');

function kinds(table: Awaited<ReturnType<typeof analysed>>): string[] {
  return table.profile.warnings.map((warning) => [warning.kind, warning.column].filter(Boolean).join(' '));
}

describe('the profile of a table', () => {
  it('measures numbers, and counts what lies far out', async () => {
    const table = await analysed(csv('x,y', 101, (i) => `${i === 100 ? 10_000 : i},${label(i)}`));
    const { numbers } = column(table, 'x') ?? {};
    expect(numbers).toMatchObject({ min: 0, max: 10_000, median: 50, q1: 25, q3: 75, outliers: 1 });
    expect(numbers?.mean).toBeCloseTo((4950 + 10_000) / 101, 9);
    expect(numbers?.std).toBeCloseTo(990.52, 1);
    expect(kinds(table)).toContain('outliers x');
  });

  it('gives the balance of the classes, and warns of a rare one', async () => {
    const table = await analysed(csv('x,y', 1000, (i) => `${i % 90},${i < 20 ? 'rare' : 'often'}`));
    expect(table.profile.balance).toEqual([
      { label: 'often', count: 980, share: 0.98 },
      { label: 'rare', count: 20, share: 0.02 },
    ]);
    expect(kinds(table)).toContain('imbalance');
    expect(kinds(await analysed(csv('x,y', 100, (i) => `${i % 9},${i < 3 ? 'rare' : 'often'}`)))).toContain(
      'small-class',
    );
  });

  it('tells rows that repeat from rows that contradict', async () => {
    const table = await analysed(
      csv('u,v,y', 60, (i) => `${i % 20},${(i % 20) * 2},${i < 40 ? label(i % 20) : label((i % 20) + 1)}`),
    );
    const changed = Array.from({ length: 20 }, (_, i) => i).filter((i) => label(i) !== label(i + 1)).length;
    expect(table.profile.duplicates).toEqual({ exact: 40 - changed, conflicting: changed, complete: true });
    expect(kinds(table)).toEqual(expect.arrayContaining(['duplicates', 'conflicts']));
  });

  it('finds columns that give the answer away', async () => {
    const table = await analysed(
      csv(
        'code,shape,x,y',
        300,
        (i) => `${label(i) === 'a' ? 'K1' : i % 2 ? 'K2' : 'K3'},${i % 4 ? 'o' : 'x'},${(i * 37) % 101},${label(i)}`,
      ),
    );
    expect(column(table, 'code')?.association).toEqual({ measure: 'lambda', value: 1 });
    expect(kinds(table)).toEqual(['leak code', 'duplicates']);
    const regression = await analysed(csv('cents,x,y', 300, (i) => `${i * 150},${(i * 37) % 101},${i * 1.5}`));
    expect(column(regression, 'cents')?.association?.value).toBeCloseTo(1, 9);
    expect(kinds(regression)).toContain('leak cents');
  });

  it('notices keys, gaps, and what a spreadsheet would run', async () => {
    const table = await analysed(
      csv('id,gap,cell,y', 100, (i) => `${i + 1},${i % 2 ? '' : i % 7},${i % 5 ? 'plain' : '=1+1'},${label(i)}`),
    );
    expect(kinds(table)).toEqual(['identifier id', 'missing gap', 'formula cell']);
  });

  it('is of the file: digest, bytes and rows', async () => {
    const content = csv('x,y', 30, (i) => `${i},${label(i)}`);
    const { profile } = await analysed(content);
    expect(profile).toMatchObject({ bytes: content.length, rows: 30, version: 1 });
    expect(await analysed(content)).toEqual(await analysed(content));
  });
});

describe('SeenRows', () => {
  it('finds every row again while it grows', () => {
    const seen = new SeenRows();
    const digest = (index: number): Buffer => rowDigest([`row ${index}`]);
    for (let i = 0; i < 20_000; i++) expect(seen.see(digest(i), i % 7)).toBeUndefined();
    for (let i = 0; i < 20_000; i += 37) expect(seen.see(digest(i), 9)).toBe(i % 7);
    expect(seen.isComplete).toBe(true);
  });

  it('says when it could not remember everything', () => {
    const seen = new SeenRows(2);
    for (const row of ['a', 'b', 'c', 'c']) seen.see(rowDigest([row]), 0);
    expect(seen.isComplete).toBe(false);
    expect(seen.see(rowDigest(['a']), 0)).toBe(0);
  });
});

describe('Reservoir', () => {
  it('estimates quantiles of a stream that it cannot hold', () => {
    const reservoir = new Reservoir(10_000);
    for (let i = 0; i < 200_000; i++) reservoir.add((i * 7919) % 200_000);
    const [q1 = 0, median = 0, q3 = 0] = reservoir.quantiles([0.25, 0.5, 0.75]);
    // Four standard errors of the rank.
    for (const [estimate, truth] of [
      [q1, 50_000],
      [median, 100_000],
      [q3, 150_000],
    ] as const) {
      expect(Math.abs(estimate - truth)).toBeLessThan(4 * 0.005 * 200_000);
    }
  });
});

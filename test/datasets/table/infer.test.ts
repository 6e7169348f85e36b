import { describe, expect, it } from '@jest/globals';
import { analysed, column, csv, feature, refused } from './support/analysed.ts';

const label = (index: number): string => (index % 3 === 0 ? 'a' : 'b');

describe('what a column is', () => {
  it('follows from its cells', async () => {
    const table = await analysed(
      csv(
        'age,height,smoker,city,y',
        60,
        (i) => `${20 + (i % 30)},1.${50 + (i % 40)},${i % 2 ? 'Yes' : 'No'},c${i % 4},${label(i)}`,
      ),
    );
    expect(table.schema).toEqual({
      file: 't.csv',
      features: [
        { kind: 'numeric', integer: true, name: 'age', nullable: false },
        { kind: 'numeric', integer: false, name: 'height', nullable: false },
        { kind: 'boolean', truthy: 'Yes', falsy: 'No', name: 'smoker', nullable: false },
        { kind: 'categorical', categories: ['c0', 'c1', 'c2', 'c3'], name: 'city', nullable: false },
      ],
      target: { task: 'classification', name: 'y', labels: ['a', 'b'] },
      missing: [],
      delimiter: ',',
    });
  });

  it.each([
    ['1', '0'],
    ['TRUE', 'FALSE'],
    ['y', 'n'],
    ['on', 'off'],
  ])('is boolean for %s and %s', async (truthy, falsy) => {
    const table = await analysed(csv('x,y', 30, (i) => `${i % 2 ? truthy : falsy},${label(i)}`));
    expect(feature(table, 'x')).toMatchObject({ kind: 'boolean', truthy, falsy });
  });

  it('allows for missing cells, in all known spellings', async () => {
    const cells = ['', 'NA', '?', '  ', '7'];
    const table = await analysed(csv('x,z,y', 50, (i) => `${cells[i % 5] ?? ''},${i},${label(i)}`));
    expect(feature(table, 'x')).toBeUndefined();
    const several = await analysed(
      csv('x,z,y', 50, (i) => `${cells[i % 5] ?? ''}${i % 5 === 4 ? i : ''},${i},${label(i)}`),
    );
    expect(feature(several, 'x')).toMatchObject({ kind: 'numeric', nullable: true });
    expect(several.schema.missing).toEqual(['?', 'NA']);
    expect(column(several, 'x')).toMatchObject({ values: 10, missing: 40 });
  });

  it('takes only those spellings of "no value" that it is told', async () => {
    const table = await analysed(
      csv('x,y', 40, (i) => `${['NA', 'SA', '-9', 'EU'][i % 4] ?? ''},${label(i)}`),
      { missing: ['-9'] },
    );
    expect(feature(table, 'x')).toMatchObject({ kind: 'categorical', categories: ['EU', 'NA', 'SA'], nullable: true });
    expect(table.schema.missing).toEqual(['-9']);
  });

  it('is what the person says, where the cells allow it', async () => {
    const content = csv('zip,flag,extra,y', 40, (i) => `${1000 + (i % 5)},${i % 2 ? 'm' : 'f'},${i},${label(i)}`);
    const table = await analysed(content, { columns: { zip: 'categorical', flag: 'boolean', extra: 'drop' } });
    expect(feature(table, 'zip')).toMatchObject({
      kind: 'categorical',
      categories: ['1000', '1001', '1002', '1003', '1004'],
    });
    expect(feature(table, 'flag')).toMatchObject({ kind: 'boolean', truthy: 'm', falsy: 'f' });
    expect(feature(table, 'extra')).toBeUndefined();
    expect(column(table, 'extra')).toMatchObject({ role: 'left-out', reason: 'as asked' });
    const error = await refused(content, { columns: { flag: 'numeric', zip: 'boolean' } });
    expect(error.problems).toEqual([
      { field: 't.csv, column "zip"', message: 'a boolean has two different values; this column has 5' },
      { field: 't.csv line 2, column "flag"', message: '"f" is no number' },
    ]);
  });

  it('is left out where there is one value, or none', async () => {
    const table = await analysed(csv('one,none,x,y', 30, (i) => `same,,${i},${label(i)}`));
    expect(table.schema.features.map(({ name }) => name)).toEqual(['x']);
    expect(table.profile.warnings.filter(({ kind }) => kind === 'constant')).toHaveLength(2);
  });

  it.each([
    ['text', (i: number) => `a story of its own ${i}`, /holds text .* --drop "x"/],
    ['dates', (i: number) => `2026-01-${String((i % 28) + 1).padStart(2, '0')}`, /dates or times.* --drop "x"/],
    ['days first', (i: number) => `${(i % 28) + 1}.01.2026`, /dates or times/],
    ['long text', (i: number) => `${'word '.repeat(60)}${i % 3}`, /holds text/],
  ])('is refused for %s, with a hint', async (_, cell, message) => {
    const error = await refused(csv('x,y', 80, (i) => `${cell(i)},${label(i)}`));
    expect(error.code).toBe('DATASET_TABLE_INVALID');
    expect(error.message).toMatch(message);
    expect(error.message).toContain('column "x"');
  });

  it('names the one cell that spoils a column of numbers', async () => {
    const error = await refused(csv('x,y', 100, (i) => `${i === 41 ? 'unknown' : i},${label(i)}`));
    expect(error.problems).toEqual([
      expect.objectContaining({
        field: 't.csv line 43, column "x"',
        message: expect.stringContaining('--missing "unknown"'),
      }),
    ]);
  });
});

describe('what the target is', () => {
  it.each([
    ['classes', (i: number) => ['low', 'high'][i % 2] ?? '', { task: 'classification', labels: ['high', 'low'] }],
    ['yes and no, no first', (i: number) => (i % 2 ? 'yes' : 'no'), { task: 'classification', labels: ['no', 'yes'] }],
    [
      'few whole numbers, by value',
      (i: number) => `${(i % 11) + 1}`,
      { task: 'classification', labels: Array.from({ length: 11 }, (_, i) => `${i + 1}`) },
    ],
    ['many numbers', (i: number) => `${i * 1.5}`, { task: 'regression' }],
  ])('follows from its values: %s', async (_, cell, target) => {
    const table = await analysed(csv('x,y', 60, (i) => `${i % 7},${cell(i)}`));
    expect(table.schema.target).toMatchObject(target);
  });

  it('is what the person asks for', async () => {
    const content = csv('x,y', 60, (i) => `${i % 7},${i % 5}`);
    expect((await analysed(content, { task: 'regression', unit: 'EUR' })).schema.target).toEqual({
      task: 'regression',
      name: 'y',
      unit: 'EUR',
    });
    const error = await refused(
      csv('x,y', 60, (i) => `${i % 7},${label(i)}`),
      { task: 'regression' },
    );
    expect(error.message).toBe('t.csv, column "y": a regression needs numbers; ask for --task classification');
  });

  it.each([
    [
      'without a value somewhere',
      csv('x,y', 30, (i) => `${i},${i === 4 ? '' : label(i)}`),
      /line 6, column "y": the target has no value in 1 of 30/,
    ],
    ['with one value', csv('x,y', 30, (i) => `${i},a`), /one value only/],
    ['of text', csv('x,y', 80, (i) => `${i},it is ${i} o'clock`), /holds text/],
    ['that is not there', csv('x,z', 30, (i) => `${i},${i}`), /line 1: there is no column "y" .* "x", "z"/],
  ])('is refused %s', async (_, content, message) => {
    expect((await refused(content)).message).toMatch(message);
  });
});

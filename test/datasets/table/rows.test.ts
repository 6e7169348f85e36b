import { describe, expect, it } from '@jest/globals';
import { TableSchema } from '../../../contracts/table.ts';
import { readRows } from '../../../lib/datasets/index.ts';
import type { TableRow } from '../../../lib/datasets/index.ts';

const schema = TableSchema.parse({
  file: 'csv',
  delimiter: ';',
  missing: ['NA'],
  features: [
    { kind: 'numeric', name: 'age', integer: true },
    { kind: 'numeric', name: 'weight', nullable: true },
    { kind: 'boolean', name: 'smokes', truthy: 'yes', falsy: 'no', nullable: true },
    { kind: 'categorical', name: 'town', categories: ['Ulm', 'Bonn'] },
  ],
  target: { task: 'classification', name: 'ill', labels: ['no', 'yes'] },
});
const HEADER = 'ill;town;note;smokes;weight;age';

async function read(...lines: string[]): Promise<TableRow[]> {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    // Cut anywhere, also inside of a character.
    const all = Buffer.from(lines.join('\n'));
    for (let at = 0; at < all.length; at += 3) yield all.subarray(at, at + 3);
  }
  const rows: TableRow[] = [];
  for await (const row of readRows(bytes(), schema, 'people.csv')) rows.push(row);
  return rows;
}

describe('readRows', () => {
  it('reads cells by the name of their column, whatever its place, and passes over the others', async () => {
    const [first, second, ...rest] = await read(
      `\uFEFF${HEADER}`,
      'yes;Bonn;"a;\nnöte";yes;61.5;40',
      '',
      'no;Köln;; NA ;;7',
    );
    expect(rest).toEqual([]);
    expect([...(first?.features ?? [])]).toEqual([40, 61.5, 1, 1]);
    expect(first?.target).toBe(1);
    expect([...(second?.features ?? [])]).toEqual([7, Number.NaN, Number.NaN, -1]);
    expect(second?.target).toBe(0);
  });

  it.each([
    ['no;Ulm;;no;60;4.5', 'people.csv:2:age', '"4.5" is no whole number'],
    ['no;Ulm;;no;0x10;4', 'people.csv:2:weight', '"0x10" is no number'],
    ['no;Ulm;;no;1e39;4', 'people.csv:2:weight', 'single precision'],
    ['no;Ulm;;maybe;60;4', 'people.csv:2:smokes', 'neither "yes" nor "no"'],
    ['no;;;no;60;4', 'people.csv:2:town', 'the value is missing'],
    ['perhaps;Ulm;;no;60;4', 'people.csv:2:ill', 'none of the labels'],
    ['NA;Ulm;;no;60;4', 'people.csv:2:ill', 'the target is missing'],
    ['no;Ulm;;no;60', 'people.csv:2', 'the row is no CSV'],
  ])('names file, line and column of the bad row %s', async (line, field, message) => {
    await expect(read(HEADER, line)).rejects.toMatchObject({
      code: 'DATASET_CELL_INVALID',
      field,
      message: expect.stringContaining(message),
    });
  });

  it('names a column that the header lacks or has twice, and a file without one', async () => {
    await expect(read('ill;town;smokes;age')).rejects.toMatchObject({ field: 'people.csv:1:weight' });
    await expect(read(`${HEADER};age`)).rejects.toMatchObject({ field: 'people.csv:1:age' });
    await expect(read('')).rejects.toMatchObject({ field: 'people.csv:1' });
  });

  it('passes on what the source throws', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`${HEADER}\n`);
      throw new Error('the disk is gone');
    }
    const all = async (): Promise<void> => {
      for await (const row of readRows(broken(), schema, 'people.csv')) void row;
    };
    await expect(all()).rejects.toThrow('the disk is gone');
  });
});

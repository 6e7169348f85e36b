import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { planFile } from '../../lib/scoring/index.ts';
import { shardRecords } from '../../lib/scoring/records.ts';
import { FACTS, pieces } from './support/facts.ts';

const file = { uri: 'cas://sha256/x', sha256: 'a'.repeat(64), bytes: 1, mediaType: 'text/csv' };
const csv = (text: string | Uint8Array, options: Partial<Parameters<typeof planFile>[0]> = {}) =>
  planFile({ file, format: 'csv', facts: FACTS, bytes: pieces(text), ...options });

describe('a plan', () => {
  it('cuts a file into shards of whole records, with the line and number of the first one', async () => {
    const text = 'age,income,town\n1,2,Bern\n2,3,"Basel, old"\n\n3,4,"a\nb"\n4,5,Bern';
    const plan = await csv(text, { records: 2 });
    expect(plan).toMatchObject({ columns: ['age', 'income', 'town'], records: 4 });
    expect(plan.shards.map(({ record, line, records }) => ({ record, line, records }))).toEqual([
      { record: 0, line: 2, records: 2 },
      { record: 2, line: 4, records: 2 },
    ]);
    const [first, second] = plan.shards;
    const bytes = Buffer.from(text);
    for (const shard of [first, second]) {
      const part = bytes.subarray(shard?.offset, (shard?.offset ?? 0) + (shard?.bytes ?? 0));
      expect(createHash('sha256').update(part).digest('hex')).toBe(shard?.sha256);
    }
    expect(second?.offset).toBe((first?.offset ?? 0) + (first?.bytes ?? 0));
    expect((second?.offset ?? 0) + (second?.bytes ?? 0)).toBe(bytes.length);
  });

  it('is the same in whatever pieces the file comes', async () => {
    const text = '\uFEFFage,"income",town\r\n1,2,"a ""b"", c"\r\n2,3,Bern\r\n\r\n';
    const whole = await csv(text);
    expect(whole).toMatchObject({ columns: ['age', 'income', 'town'], records: 2 });
    for (const size of [1, 2, 3, 7, 19]) expect(await csv(text, { bytes: pieces(text, size) })).toEqual(whole);
  });

  it('loses and repeats no record, whatever cells hold and wherever it is cut', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é'), maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ age: fc.nat({ max: 99 }), town: cell }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 40 }),
        async (rows, records, size) => {
          const lines = rows.map(({ age, town }) => `${age},"${town.replaceAll('"', '""')}"\n`);
          const text = `age,town\n${lines.join('')}`;
          const plan = await csv(text, { records, bytes: pieces(text, size) });
          const bytes = Buffer.from(text);
          const features = new Map([['age', true] as const, ['town', false] as const]);
          const found = plan.shards.flatMap(({ offset, bytes: length, line }) => [
            ...shardRecords({
              ...{
                bytes: bytes.subarray(offset, offset + length),
                format: 'csv',
                columns: plan.columns,
                features,
                line,
              },
            }),
          ]);
          expect(plan.records).toBe(rows.length);
          expect(found.map((one) => ('record' in one ? one.record : one))).toEqual(rows);
        },
      ),
    );
  });

  it('counts the lines of NDJSON that hold something', async () => {
    const text = '{"age":1}\n\n   \n{"age":2}\n';
    const plan = await planFile({ file, format: 'ndjson', facts: FACTS, bytes: pieces(text), records: 1 });
    expect(plan.shards.map(({ record, line }) => ({ record, line }))).toEqual([
      { record: 0, line: 1 },
      { record: 1, line: 2 },
    ]);
  });

  it.each([
    ['nothing', '', 'no record'],
    ['no record', 'age,income,town\n\n', 'no record'],
    ['a feature too few', 'income,town\n1,Bern\n', 'no column "age"'],
    ['two columns of one name', 'age,age\n1,2\n', 'two columns are called "age"'],
    ['a quote that never closes', `age,town\n1,"${'x'.repeat(2 ** 20)}\n`, 'line 2 has a quote that never closes'],
    ['a short quote that never closes', 'age,town\n1,"x\n', 'quote that never closes'],
    ['a record that is too long', `age,town\n1,${'x'.repeat(2 ** 20)}\n`, 'longer than 1048576 bytes'],
    ['a header that is not UTF-8', Buffer.from([0xff, 0x0a, 0x31, 0x0a]), 'no CSV in UTF-8'],
  ])('refuses a file with %s', async (_what, text, message) => {
    await expect(csv(text)).rejects.toMatchObject({ code: 'SCORE_FILE_INVALID' });
    await expect(csv(text)).rejects.toThrow(message);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { FeatureRecord } from '../../../contracts/predict.ts';
import { readRecords, type RecordType } from '../../../api/serving/records.ts';

const features = new Map([
  ['age', true],
  ['town', false],
]);

/** Bytes in pieces of a size. */
async function* pieces(text: string | Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string | Uint8Array, type: RecordType, size?: number): Promise<FeatureRecord[]> {
  const records: FeatureRecord[] = [];
  for await (const record of readRecords(pieces(text, size), type, features)) records.push(record);
  return records;
}

describe('records of a file', () => {
  it('are read from CSV: features alone, numbers as numbers, and the rest as it is', async () => {
    const text = '\ufeffid, age ,town\n1,40,Ulm\n\n2,NA,"New\nYork"\n3,,\n';
    expect(await read(text, 'text/csv')).toEqual([
      { age: 40, town: 'Ulm' },
      { age: 'NA', town: 'New\nYork' },
      { age: '', town: '' },
    ]);
  });

  it('are read from lines of JSON wherever the pieces are cut', async () => {
    const records = fc.array(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.oneof(fc.integer(), fc.string())));
    await fc.assert(
      fc.asyncProperty(records, fc.integer({ min: 1, max: 40 }), async (given, size) => {
        // A key of this name is no property of what JSON.parse makes.
        const plain = given.map((record) => JSON.parse(JSON.stringify({ ...record })) as FeatureRecord);
        const text = plain.map((record) => `${JSON.stringify(record)}\n`).join('\r\n');
        const kept = plain.map((record) =>
          Object.fromEntries(Object.entries(record).filter(([k]) => k !== '__proto__')),
        );
        expect(await read(text, 'application/x-ndjson', size)).toEqual(kept);
      }),
    );
  });

  it.each<[string, RecordType, string | Uint8Array, string]>([
    ['a line that is no JSON', 'application/x-ndjson', '{"age":1}\n{"age":', 'body.records[1]'],
    ['a line that is a list', 'application/x-ndjson', '[1]\n', 'body.records[0]'],
    ['a value that is an object', 'application/x-ndjson', '{"age":{}}\n', 'body.records[0]'],
    ['bytes that are no UTF-8', 'application/x-ndjson', Buffer.of(0xc3, 0x28), 'body.records[0]'],
    ['a line without an end', 'application/x-ndjson', `{"town":"${'x'.repeat(2 ** 21)}`, 'body.records[0]'],
    ['a row of other columns', 'text/csv', 'age,town\n1,Ulm\n2\n', 'body.records[1]'],
    ['a quote that is not closed', 'text/csv', `age,town\n1,"${'x'.repeat(2 ** 21)}`, 'body.records[0]'],
  ])('with %s are refused, naming the record', async (_, type, text, field) => {
    await expect(read(text, type, 65_536)).rejects.toMatchObject({ code: 'REQUEST_INVALID', field });
  });
});

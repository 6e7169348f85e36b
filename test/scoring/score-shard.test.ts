import { describe, expect, it } from '@jest/globals';
import type { FeatureTensor } from '../../lib/scoring/index.ts';
import { scoreShard } from '../../lib/scoring/score-shard.ts';
import { FACTS } from './support/facts.ts';

type Job = Parameters<typeof scoreShard>[0];

const HEADER = ['age', 'income', 'town', 'note'];

/** Says yes to everybody above 50, with a probability that tells the age. */
async function run(inputs: Readonly<Record<string, FeatureTensor>>) {
  const ages = [...(inputs['age']?.data as Float32Array)];
  return {
    label: { data: BigInt64Array.from(ages, (age) => BigInt(age > 50 ? 1 : 0)) },
    probabilities: { data: Float32Array.from(ages.flatMap((age) => [1 - age / 100, age / 100])) },
  };
}

async function score(text: string | Uint8Array, changes: Partial<Job> = {}) {
  const lines: { predicted: string[]; refused: string[] } = { predicted: [], refused: [] };
  const job: Job = {
    ...{ facts: FACTS, version: '3', bytes: Buffer.from(text), format: 'csv', columns: HEADER },
    ...{ record: 10, line: 20, hardening: {}, refuseOutOfRange: false, ...changes },
  };
  const { counts, output } = await scoreShard(job, {
    run,
    predicted: async (more) => void lines.predicted.push(...more),
    refused: async (more) => void lines.refused.push(...more),
    progress: () => undefined,
  });
  const parsed = (texts: readonly string[]): unknown[] => texts.map((line) => JSON.parse(line) as unknown);
  return { counts, output, predicted: parsed(lines.predicted), refused: parsed(lines.refused) };
}

describe('a shard', () => {
  it('gives a line for each record, numbered as in the file', async () => {
    const { counts, predicted, refused, output } = await score('75,1,Bern,x\n25,,"Basel, old",y\n');
    expect(counts).toEqual({ records: 2, scored: 2, refused: 0, outOfRange: 0 });
    expect(refused).toEqual([]);
    expect(predicted).toEqual([
      { record: 10, version: '3', label: 'yes', probability: 0.75, probabilities: { no: 0.25, yes: 0.75 } },
      { record: 11, version: '3', label: 'no', probability: 0.75, probabilities: { no: 0.75, yes: 0.25 } },
    ]);
    expect(output).toContain('2 of 2 records, the first yes 0.7500; 0 refused');
  });

  it('refuses single records, with line and reason, and goes on', async () => {
    const bad = Buffer.concat([
      Buffer.from('75,1,Bern,x\n\nold,1,Bern,x\n,1,Bern,x\n75,1\n75,1,"Bern"x,y\n75,1,'),
      Buffer.from([0xff]),
      Buffer.from(',x\n25,1,Bern,"a\nb"\n25,1,Bern,z\n'),
    ]);
    const { counts, predicted, refused } = await score(bad);
    expect(counts).toEqual({ records: 8, scored: 3, refused: 5, outOfRange: 0 });
    expect(refused).toEqual([
      { record: 11, line: 22, reason: '"age": must be a number of single precision, not "old".' },
      { record: 12, line: 23, reason: '"age": is missing, and the training had no missing value of it.' },
      { record: 13, line: 24, reason: 'The record has 2 cells, but the header has 4.' },
      { record: 14, line: 25, reason: expect.stringContaining('The record is no CSV') },
      { record: 15, line: 26, reason: 'The record is not UTF-8.' },
    ]);
    expect(predicted.map((line) => (line as { record: number }).record)).toEqual([10, 16, 17]);
  });

  it('reads NDJSON', async () => {
    const text = '{"age":75,"town":null}\nnot json\n{"age":75,"rank":1}\n[1]\n{"age":"n/a"}\n';
    const { counts, refused } = await score(text, { format: 'ndjson', columns: [] });
    expect(counts).toMatchObject({ records: 5, scored: 1, refused: 4 });
    expect(refused).toMatchObject([
      { line: 21, reason: 'The record is not valid JSON.' },
      { line: 22, reason: expect.stringContaining('the model has no such feature') },
      { line: 23, reason: expect.stringContaining('no object of numbers') },
      { line: 24, reason: expect.stringContaining('"age": is missing') },
    ]);
  });

  it('marks what is unlike the training, or refuses it where the model says so', async () => {
    const text = '101,1,Bern,x\n75,1,Zug,x\n75,1,Bern,x\n';
    const marked = await score(text);
    expect(marked.counts).toMatchObject({ scored: 3, outOfRange: 2 });
    expect(marked.predicted[1]).toMatchObject({
      warnings: [{ feature: 'town', message: expect.stringContaining('Zug') }],
    });
    const refused = await score(text, { refuseOutOfRange: true });
    expect(refused.counts).toMatchObject({ scored: 1, refused: 2, outOfRange: 0 });
  });

  it('keeps from the answers what is kept from those of requests', async () => {
    const text = '75,1,Bern,x\n67,1,Bern,x\n';
    const labels = await score(text, { hardening: { labelsOnly: true } });
    expect(labels.predicted[0]).toMatchObject({ label: 'yes', probabilities: { no: 0, yes: 1 } });
    const rounded = await score(text, { hardening: { decimals: 1 } });
    expect(rounded.predicted[1]).toMatchObject({ record: 11, probability: 0.7, probabilities: { no: 0.3, yes: 0.7 } });
  });

  it('answers the same whatever the number of records that are asked together', async () => {
    const text = Array.from({ length: 2500 }, (_, index) => `${index % 100},1,Bern,x\n`).join('');
    const { counts, predicted } = await score(text);
    expect(counts.scored).toBe(2500);
    expect(predicted.at(-1)).toMatchObject({ record: 2509, probability: expect.closeTo(0.99) });
  });
});

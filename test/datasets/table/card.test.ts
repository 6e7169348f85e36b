import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { CardOptions } from '../../../contracts/own-data.ts';
import { TableSchema } from '../../../contracts/table.ts';
import { loadToolchain } from '../../../infra/local/toolchain.ts';
import { datasetNames, loadCard, type DatasetCard } from '../../../lib/datasets/index.ts';
import { labelsOf } from '../../../lib/datasets/card.ts';
import { NOT_STATED, writeCard } from '../../../lib/datasets/table/write-card.ts';
import { analysed, csv } from './support/analysed.ts';

const folder = mkdtempSync(join(tmpdir(), 'saip-card-'));
afterAll(() => rmSync(folder, { recursive: true }));

const said = { licence: 'cc-by-4.0', description: 'Orders.', creators: [{ type: 'Person', name: 'Ann' }] };

async function written(options: object = {}, content?: string): Promise<DatasetCard> {
  const text = content ?? csv('age,"first, name",y', 60, (i) => `${i % 9},n${i % 4},${['no', 'yes'][i % 2] ?? ''}`);
  const { profile, schema } = await analysed(text);
  return writeCard({
    name: 'orders',
    version: 3,
    card: CardOptions.parse({ ...said, ...options }),
    schema,
    file: { name: 't.csv', sha256: profile.sha256, bytes: profile.bytes },
    rows: profile.rows,
    home: 'https://platform.example/v1/datasets/orders',
    today: '2026-01-31',
  });
}

const VALIDATE = 'import sys, mlcroissant\nfor file in sys.argv[1:]: mlcroissant.Dataset(jsonld=file)\nprint("valid")';

/** Validates with the reference implementation of Croissant, all in one process: it takes seconds to start. */
function validate(cards: readonly DatasetCard[]): void {
  const files = cards.map((card, index) => {
    const file = join(folder, `${index}.json`);
    writeFileSync(file, JSON.stringify(card));
    return file;
  });
  const python = join(dirname(loadToolchain().croissant), 'python');
  const { status, stderr, stdout } = spawnSync(python, ['-c', VALIDATE, ...files], { encoding: 'utf8' });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'valid\n', stderr: '' });
}

describe('the card of a table', () => {
  it('says what was said, what follows from the file, and what nobody said', async () => {
    const card = await written({ uses: ['Forecasts.'], citation: 'Ann, 2026.' });
    expect(card).toMatchObject({
      name: 'orders',
      version: '3.0.0',
      license: 'https://spdx.org/licenses/CC-BY-4.0',
      url: 'https://platform.example/v1/datasets/orders',
      datePublished: '2026-01-31',
      creator: [{ '@type': 'Person', name: 'Ann' }],
      citeAs: 'Ann, 2026.',
      'rai:dataUseCases': ['Forecasts.'],
      'rai:dataBiases': [NOT_STATED],
      copyrightNotice: NOT_STATED,
      distribution: [{ '@id': 't.csv', contentUrl: 't.csv', encodingFormat: 'text/csv' }],
    });
    expect(labelsOf(card)).toEqual(['no', 'yes']);
    expect(TableSchema.parse(card['saip:table']).features.map(({ name }) => name)).toEqual(['age', 'first, name']);
  });

  it('takes properties of a given card, below the options', async () => {
    const properties = { keywords: ['orders'], citeAs: 'Given.', 'rai:dataBiases': ['Only one shop.'] };
    const card = await written({ properties, citation: 'Ann, 2026.' });
    expect(card).toMatchObject({ keywords: ['orders'], citeAs: 'Ann, 2026.', 'rai:dataBiases': ['Only one shop.'] });
  });

  it.each([
    ['a licence that nobody knows', { licence: 'free' }, 'card.licence'],
    ['a licence by another protocol', { licence: 'file:///licence' }, 'card.licence'],
    ['a file that was not read', { properties: { distribution: [] } }, 'card.properties.distribution'],
    ['another name', { properties: { name: 'other' } }, 'card.properties.name'],
    ['a property of the wrong form', { properties: { url: 'nowhere' } }, 'url'],
  ])('is refused with %s', async (_, options, field) => {
    await expect(written(options)).rejects.toMatchObject({ code: 'DATASET_CARD_INVALID', field });
  });

  it('holds before the reference implementation of Croissant, as the built-in ones do', async () => {
    const quantities = csv('a b,ü,y', 60, (i) => `${i % 9},${i / 7},${i * 1.5}`);
    const own = [await written(), await written({ licence: 'https://example.org/terms' }, quantities)];
    validate([...own, ...(await Promise.all(datasetNames().map(loadCard)))]);
  });

  it('would not hold without what Croissant asks for', async () => {
    const card = await written();
    const unlicensed = { ...card, license: undefined };
    const broken = {
      ...unlicensed,
      recordSet: [{ '@type': 'cr:RecordSet', '@id': 'rows', field: [{ '@type': 'cr:Field' }] }],
    };
    expect(() => validate([broken as unknown as DatasetCard])).toThrow();
  });
});

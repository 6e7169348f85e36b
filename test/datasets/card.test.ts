import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { DatasetError, datasetNames, loadCard, parseCard } from '../../lib/datasets/index.ts';
import { labelsOf } from '../../lib/datasets/card.ts';

const source = readFileSync(new URL('../../lib/datasets/cards/mnist.json', import.meta.url), 'utf8');

interface MutableCard {
  [field: string]: unknown;
  distribution: Record<string, unknown>[];
  recordSet: { '@id': string; data?: Record<string, unknown>[] }[];
}

function changed(change: (card: MutableCard) => void): unknown {
  const card = JSON.parse(source) as MutableCard;
  change(card);
  return card;
}

function failure(value: unknown): DatasetError {
  try {
    parseCard(value, 'mnist.json');
  } catch (error) {
    if (error instanceof DatasetError) return error;
    throw error;
  }
  throw new Error('the card was accepted');
}

describe('data cards', () => {
  it.each(datasetNames())('%s is complete, and named as in the registry', async (name) => {
    const card = await loadCard(name);
    expect(card.name).toBe(name);
    expect(card.conformsTo).toContain('http://mlcommons.org/croissant/1.1');
  });

  it('gives the labels in the order of their index', async () => {
    expect(labelsOf(await loadCard('mnist'))).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });

  it('keeps properties that the platform does not ask for', async () => {
    expect(await loadCard('mnist')).toEqual(JSON.parse(source));
  });

  it.each([
    'license',
    'copyrightNotice',
    'creator',
    'citeAs',
    'description',
    'datePublished',
    'prov:wasDerivedFrom',
    'rai:dataUseCases',
    'rai:dataLimitations',
    'rai:dataBiases',
    'rai:dataCollection',
    'rai:personalSensitiveInformation',
    'distribution',
    'recordSet',
  ])('are refused without %s', (field) => {
    const error = failure(changed((card) => delete card[field]));
    expect(error).toMatchObject({ code: 'DATASET_CARD_INVALID', field });
    expect(error.message).toBe(`mnist.json: ${field} is missing`);
  });

  it.each<[string, string, (card: MutableCard) => void]>([
    ['an empty licence', 'license', (card) => (card.license = [])],
    ['a licence that is no URL', 'license', (card) => (card.license = 'free')],
    ['an older Croissant', 'conformsTo', (card) => (card.conformsTo = 'http://mlcommons.org/croissant/1.0')],
    ['no known biases', 'rai:dataBiases', (card) => (card['rai:dataBiases'] = [])],
    ['a blank limit', 'rai:dataLimitations[0]', (card) => (card['rai:dataLimitations'] = [' '])],
    ['a file without digest', 'distribution[1].sha256', (card) => delete card.distribution[1]?.sha256],
    ['a digest of another form', 'distribution[0].sha256', (card) => set(card, 0, 'sha256', 'BA89')],
    ['a file outside its folder', 'distribution[2].contentUrl', (card) => set(card, 2, 'contentUrl', '../secret')],
    ['an absolute file', 'distribution[2].contentUrl', (card) => set(card, 2, 'contentUrl', '/etc/passwd')],
    ['a hidden step up', 'distribution[2].contentUrl', (card) => set(card, 2, 'contentUrl', 'a/../../b')],
    ['a size without unit', 'distribution[3].contentSize', (card) => set(card, 3, 'contentSize', '60008')],
  ])('are refused with %s', (_, field, change) => {
    const error = failure(changed(change));
    expect(error).toMatchObject({ code: 'DATASET_CARD_INVALID', field });
    expect(error.message).toContain('mnist.json');
    expect(error.message).toContain(field);
  });

  it.each([null, 'card', []])('are refused where the file holds %j', (value) => {
    expect(failure(value)).toMatchObject({ code: 'DATASET_CARD_INVALID', field: 'card' });
  });

  it('must index their labels from 0 without a gap', () => {
    const card = parseCard(
      changed((value) => {
        const rows = value.recordSet.find((records) => records['@id'] === 'labels')?.data ?? [];
        (rows[9] as Record<string, unknown>)['labels/index'] = 11;
      }),
      'mnist.json',
    );
    expect(() => labelsOf(card)).toThrow(expect.objectContaining({ code: 'DATASET_CARD_INVALID', field: 'recordSet' }));
  });
});

function set(card: MutableCard, file: number, field: string, value: unknown): void {
  (card.distribution[file] as Record<string, unknown>)[field] = value;
}

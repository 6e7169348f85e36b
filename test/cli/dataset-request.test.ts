import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { addRequest, type AddOptions } from '../../cli/actions/dataset-request.ts';
import { EXIT } from '../../cli/exit-codes.ts';

const folder = mkdtempSync(join(tmpdir(), 'saip-request-'));
afterAll(() => rmSync(folder, { recursive: true }));

const stated = { target: 'y', licence: 'CC0-1.0', description: 'Orders.', creator: ['Ann'] };

function given(card: unknown): string {
  const path = join(folder, 'card.json');
  writeFileSync(path, JSON.stringify(card));
  return path;
}

describe('saip dataset add', () => {
  it('makes a request of its options', async () => {
    const options = {
      ...stated,
      organization: ['A Shop'],
      column: ['zip=code=categorical', 'flag=boolean'],
      drop: ['id'],
      delimiter: 'tab',
      use: ['Forecasts.'],
    };
    expect(await addRequest('/data/My Orders (2).csv', options)).toEqual({
      name: 'my-orders-2',
      file: 'My_Orders__2_.csv',
      table: { target: 'y', columns: { 'zip=code': 'categorical', flag: 'boolean', id: 'drop' }, delimiter: '\t' },
      card: {
        licence: 'CC0-1.0',
        description: 'Orders.',
        creators: [
          { type: 'Person', name: 'Ann' },
          { type: 'Organization', name: 'A Shop' },
        ],
        sources: [],
        uses: ['Forecasts.'],
        limitations: [],
        biases: [],
        personal: [],
        properties: {},
      },
    });
  });

  it('takes from a card what the options do not say', async () => {
    const card = given({
      license: 'MIT',
      description: 'Given.',
      creator: { '@type': 'Organization', name: 'A Shop' },
      'rai:dataBiases': ['One town.'],
    });
    const request = await addRequest('orders.csv', { target: 'y', description: 'Said.', card });
    expect(request.card).toMatchObject({
      licence: 'MIT',
      description: 'Said.',
      creators: [{ type: 'Organization', name: 'A Shop' }],
      properties: { 'rai:dataBiases': ['One town.'] },
    });
  });

  it.each<[string, string, Partial<AddOptions>, string]>([
    [
      'everything that only a person can say',
      'ü.csv',
      { licence: undefined, description: undefined, creator: [] },
      'the card needs --name, --licence, --description, --creator',
    ],
    ['a kind', 'o.csv', { column: ['zip'] }, '--column zip is no column=kind'],
    ['a known kind', 'o.csv', { column: ['zip=text'] }, '--column: '],
    ['a known task', 'o.csv', { task: 'ranking' }, '--task: '],
    ['a URL', 'o.csv', { url: 'javascript:alert(1)' }, '--url: '],
    ['a date', 'o.csv', { published: 'yesterday' }, '--published: '],
  ])('asks for %s', async (_, file, options, message) => {
    const failure: unknown = await addRequest(file, { ...stated, ...options }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ exitCode: EXIT.usage, message: expect.stringContaining(message) });
  });
});

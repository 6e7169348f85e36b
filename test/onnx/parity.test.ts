import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ModelConfig } from '../../contracts/model-config.ts';
import type { PreparedSamples } from '../../contracts/prepared-data.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { checkParity, exportOnnx, runOnnx } from '../../lib/onnx/index.ts';
import { instantiate } from './networks.ts';

const root = mkdtempSync(path.join(tmpdir(), 'saip-parity-'));
const store = new ArtifactStore({ root });
const instance = instantiate({
  model: ModelConfig.parse({
    name: 'tiny',
    layers: [
      { type: 'conv2d', filters: 3, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' },
      { type: 'maxPooling2d' },
      { type: 'flatten' },
      { type: 'dense', units: 4 },
    ],
  }),
  shape: [9, 8, 2],
  dtype: 'uint8',
  classes: 4,
  seed: 11,
});
let manifest: PreparedSamples;
let onnx: ArtifactRef;

beforeAll(async () => {
  const x = await store.put(new Uint8Array(instance.samples), { mediaType: 'application/octet-stream' });
  const { splits } = instance.manifest;
  manifest = { ...instance.manifest, splits: { ...splits, test: { ...splits.test, x } } };
  onnx = await store.put(exportOnnx({ ...instance, manifest, dataSha256: '0'.repeat(64) }), {
    mediaType: 'application/onnx',
  });
});
afterAll(() => rmSync(root, { recursive: true }));

describe('checkParity', () => {
  it('measures the largest difference over all samples', async () => {
    const progress: number[] = [];
    const onProgress = ({ done }: { done: number }): void => void progress.push(done);
    const parity = await checkParity({ onnx, manifest, store, logits: instance.logits, onProgress });
    expect(parity.samples).toBe(instance.count);
    expect(parity.maxAbsDifference).toBeLessThanOrEqual(1e-5);
    expect(progress).toEqual([instance.count]);
  });

  it('refuses a graph whose probabilities differ', async () => {
    const logits = instance.logits.map((value, i) => (i === 4 ? value + 10 : value));
    await expect(checkParity({ onnx, manifest, store, logits })).rejects.toMatchObject({
      code: 'EXPORT_PARITY',
      field: 'probabilities',
      message: expect.stringContaining('test sample 1 '),
    });
  });

  it('refuses logits of another test set', async () => {
    const logits = instance.logits.slice(4);
    await expect(checkParity({ onnx, manifest, store, logits })).rejects.toMatchObject({ code: 'EXPORT_PARITY' });
  });
});

describe('runOnnx', () => {
  it('refuses bytes that are no model', async () => {
    const garbage = await store.put(Buffer.from('not a model'), { mediaType: 'application/onnx' });
    await expect(runOnnx({ onnx: garbage, manifest, store })).rejects.toMatchObject({ code: 'MODEL_LOAD_FAILED' });
  });

  it('refuses a model of other samples', async () => {
    const other = { ...manifest, input: { ...manifest.input, shape: [9, 16, 1] } };
    await expect(runOnnx({ onnx, manifest: other, store })).rejects.toMatchObject({
      code: 'TENSOR_INVALID',
      message: expect.stringContaining('[9, 8, 2], not [9, 16, 1]'),
    });
  });

  it('ends with the reason of an abort', async () => {
    const signal = AbortSignal.abort(new Error('cancelled'));
    await expect(runOnnx({ onnx, manifest, store, signal })).rejects.toThrow('cancelled');
  });
});

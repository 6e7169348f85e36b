import { describe, expect, it } from '@jest/globals';
import { ModelConfig } from '../../contracts/model-config.ts';
import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import { runChild } from '../../lib/heavy/index.ts';
import type { GradientInput, GradientOutput } from './children/gradients.ts';

const entry = new URL('./children/gradients.ts', import.meta.url);
const ref = { uri: 'cas://sha256/0', sha256: '0'.repeat(64), bytes: 0, mediaType: 'application/octet-stream' };
const split = { x: ref, y: ref, count: 1 };
const manifest: PreparedManifest = {
  version: 1,
  dataset: 'none',
  seed: 0,
  validationShare: 0.1,
  input: { name: 'image', shape: [14, 14, 2], dtype: 'uint8' },
  labels: ['a', 'b', 'c'],
  preprocessing: { kind: 'affine', scale: [1 / 128], offset: [-1] },
  splits: { train: split, validation: split, test: split },
};

const networks: Record<string, object[]> = {
  'convolutions of every padding, stride and activation': [
    { type: 'conv2d', filters: 5, kernelSize: 3, activation: 'relu' },
    { type: 'conv2d', filters: 4, kernelSize: 3, padding: 'same', activation: 'tanh' },
    { type: 'conv2d', filters: 6, kernelSize: 2, strides: 2, padding: 'same', activation: 'sigmoid' },
    { type: 'flatten' },
    { type: 'dense', units: 3 },
  ],
  'pooling, overlapping and not': [
    { type: 'maxPooling2d', poolSize: 2 },
    { type: 'conv2d', filters: 4, kernelSize: 2, activation: 'relu' },
    { type: 'maxPooling2d', poolSize: 3, strides: 1 },
    { type: 'maxPooling2d', poolSize: 2 },
    { type: 'flatten' },
    { type: 'dense', units: 3 },
  ],
  'dense layers of every activation': [
    { type: 'flatten' },
    { type: 'dense', units: 16, activation: 'relu' },
    { type: 'dense', units: 12, activation: 'tanh' },
    { type: 'dense', units: 8, activation: 'sigmoid' },
    { type: 'dense', units: 7, activation: 'linear' },
    { type: 'dense', units: 3 },
  ],
};

describe('the training graph', () => {
  it.each(Object.keys(networks).flatMap((name) => [0, 0.1].map((smoothing) => [name, smoothing] as const)))(
    'has the gradients of automatic differentiation: %s, label smoothing %d',
    async (name, labelSmoothing) => {
      const model = ModelConfig.parse({ name: 'test', layers: networks[name] });
      const input: GradientInput = { model, manifest, labelSmoothing, batch: 9 };
      const { graph, soft, reference, inputs, said, expected } = await runChild<GradientOutput>({ entry, input });
      expectClose(graph, reference, 0.01);
      expectClose(soft, reference, 0.01);
      expectClose(inputs.graph, inputs.reference, 1e-5);
      expect(said.predicted).toEqual(expected.predicted);
      expect(said.losses).toEqual(expected.losses.map((loss) => expect.closeTo(loss, 4)));
    },
  );
});

/** Equal but for rounding, and of at least some size. */
function expectClose(graph: Float32Array, reference: Float32Array, size: number): void {
  expect(graph).toHaveLength(reference.length);
  const largest = Math.max(...reference.map(Math.abs));
  const difference = Math.max(...graph.map((value, index) => Math.abs(value - (reference[index] ?? Number.NaN))));
  expect(largest).toBeGreaterThan(size);
  expect(difference / largest).toBeLessThan(1e-5);
}

import fc from 'fast-check';
import { Layer, ModelConfig } from '../../contracts/model-config.ts';
import type { PreparedSamples } from '../../contracts/prepared-data.ts';
import { writeSafetensors } from '../../lib/ml/index.ts';
import type { Tensor } from '../../lib/ml/index.ts';
import { outputShape, referenceLogits } from './reference-network.ts';

export interface NetworkCase {
  readonly model: ModelConfig;
  readonly shape: number[];
  readonly dtype: 'uint8' | 'float32';
  readonly classes: number;
  readonly seed: number;
}

const activation = fc.constantFrom('linear', 'relu', 'tanh', 'sigmoid');
const small = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const dropout = fc.constant({ type: 'dropout', rate: 0.5 });
const conv2d = fc.record({
  type: fc.constant('conv2d'),
  filters: small(5),
  kernelSize: small(5),
  strides: small(3),
  padding: fc.constantFrom('same', 'valid'),
  activation,
});
const maxPooling2d = fc.record(
  { type: fc.constant('maxPooling2d'), poolSize: fc.integer({ min: 2, max: 3 }), strides: small(3) },
  { requiredKeys: ['type', 'poolSize'] },
);
const dense = fc.record({ type: fc.constant('dense'), units: small(12), activation });
const side = fc.integer({ min: 3, max: 11 });

/** Networks of the allow-list on small images or vectors. */
export const anyNetwork: fc.Arbitrary<NetworkCase> = fc
  .record({
    shape: fc.oneof(
      { weight: 4, arbitrary: fc.tuple(side, side, small(3)) },
      { weight: 1, arbitrary: fc.tuple(small(9)) },
    ),
    dtype: fc.constantFrom('uint8' as const, 'float32' as const),
    image: fc.array(fc.oneof(conv2d, maxPooling2d, dropout), { maxLength: 4 }),
    vector: fc.array(fc.oneof(dense, dropout), { maxLength: 2 }),
    classes: fc.integer({ min: 2, max: 6 }),
    seed: fc.nat(),
  })
  .map(({ shape, dtype, image, vector, classes, seed }) => {
    const layers = shape.length === 3 ? [...fitting(image, shape), { type: 'flatten' }] : [];
    const model = ModelConfig.parse({
      name: 'random',
      layers: [...layers, ...vector, { type: 'dense', units: classes }],
    });
    return { model, shape: [...shape], dtype, classes, seed };
  });

/** The layers whose window fits into what the layers before them leave. */
function fitting(layers: readonly unknown[], shape: readonly number[]): Layer[] {
  let current = shape;
  return layers
    .map((layer) => Layer.parse(layer))
    .filter((layer) => {
      if (windowOf(layer) > Math.min(current[0] ?? 0, current[1] ?? 0)) return false;
      current = outputShape(layer, current);
      return true;
    });
}

function windowOf(layer: Layer): number {
  if (layer.type === 'maxPooling2d') return layer.poolSize;
  return layer.type === 'conv2d' && layer.padding === 'valid' ? layer.kernelSize : 1;
}

export interface Instance {
  readonly model: ModelConfig;
  readonly manifest: PreparedSamples;
  readonly samples: Uint8Array | Float32Array;
  readonly count: number;
  /** Safetensors. */
  readonly weights: Uint8Array;
  /** By TensorFlow.js. */
  readonly logits: Float32Array;
}

const COUNT = 7;

/** Seeded weights of about unit gain, samples and preprocessing for a network. */
export function instantiate(c: NetworkCase): Instance {
  const next = random(c.seed);
  const size = COUNT * c.shape.reduce((product, axis) => product * axis, 1);
  const samples =
    c.dtype === 'uint8'
      ? Uint8Array.from({ length: size }, () => Math.floor(128 + 128 * next()))
      : Float32Array.from({ length: size }, () => 3 * next());
  const manifest = manifestOf(c, next);
  const tensors = randomWeights(c, next);
  const logits = referenceLogits({ ...manifest, model: c.model, weights: tensors, samples, shape: c.shape });
  return { model: c.model, manifest, samples, count: COUNT, weights: writeSafetensors(tensors), logits };
}

function manifestOf(c: NetworkCase, next: () => number): PreparedSamples {
  const nowhere = { uri: 'cas://sha256/', sha256: '0'.repeat(64), bytes: 0, mediaType: 'application/octet-stream' };
  const split = { x: nowhere, y: nowhere, count: COUNT };
  const entries = c.shape.at(-1) ?? 1;
  const gain = c.dtype === 'uint8' ? 0.01 : 0.7;
  return {
    version: 1,
    dataset: 'random',
    seed: c.seed,
    validationShare: 0.1,
    input: { name: 'sample', shape: c.shape, dtype: c.dtype },
    labels: Array.from({ length: c.classes }, (_, i) => `class ${i}`),
    preprocessing: {
      kind: 'affine',
      scale: Array.from({ length: entries }, () => Math.fround(gain * (1.5 + next()))),
      offset: Array.from({ length: entries }, () => Math.fround(next())),
    },
    splits: { train: split, validation: split, test: split },
  };
}

function randomWeights({ model, shape }: NetworkCase, next: () => number): Map<string, Tensor> {
  const weights = new Map<string, Tensor>();
  const add = (name: string, dims: readonly number[], scale: number): void => {
    const size = dims.reduce((product, axis) => product * axis, 1);
    weights.set(name, { shape: dims, data: Float32Array.from({ length: size }, () => next() * scale) });
  };
  let current: readonly number[] = shape;
  for (const [i, layer] of model.layers.entries()) {
    const kernel = kernelShape(layer, current);
    if (kernel !== undefined) {
      const inputs = kernel.slice(0, -1).reduce((product, axis) => product * axis, 1);
      add(`layers.${i}.kernel`, kernel, 1.7 / Math.sqrt(inputs));
      add(`layers.${i}.bias`, kernel.slice(-1), 0.5);
    }
    current = outputShape(layer, current);
  }
  return weights;
}

function kernelShape(layer: Layer, shape: readonly number[]): number[] | undefined {
  if (layer.type === 'dense') return [shape[0] ?? 0, layer.units];
  if (layer.type === 'conv2d') return [layer.kernelSize, layer.kernelSize, shape[2] ?? 0, layer.filters];
  return undefined;
}

/** Numbers in [-1, 1) of a linear congruential generator. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

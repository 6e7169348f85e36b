import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { onnx as Onnx } from 'onnx-proto';
import { ModelCard } from '../../contracts/import-model.ts';
import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import { BatchResult } from '../../lib/adversary/index.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { readFloat32 } from '../../lib/datasets/index.ts';
import { softmax } from '../../lib/evaluation/index.ts';
import { RandomStream } from '../../lib/ml/index.ts';
import { adaptOnnx, attackGraph, compareGraphs, predictOnnx } from '../../lib/onnx/index.ts';
import { bytesOf, DataType, floats, forestNode, int, ints, plainModel, strings, value } from './support.ts';

const root = mkdtempSync(join(tmpdir(), 'saip-imported-'));
const store = new ArtifactStore({ root });
const COUNT = 60;
const SHAPE = [2, 3, 2];
const LABELS = ['ant', 'bee', 'cat'];
const SIZE = 12;

/** Bytes of the samples, row-major, channels last. */
const stream = new RandomStream('imported', 1);
const raw = Uint8Array.from({ length: COUNT * SIZE }, () => stream.below(256));
const weights = Array.from({ length: SIZE * 3 }, () => 2 * stream.uniform() - 1);
let manifest: PreparedManifest;

beforeAll(async () => {
  const mediaType = 'application/octet-stream';
  const split = {
    x: await store.put(raw, { mediaType }),
    y: await store.put(new Uint8Array(Int32Array.from({ length: COUNT }, (_, i) => i % 3).buffer), { mediaType }),
    count: COUNT,
  };
  manifest = {
    ...{ version: 1, dataset: 'tiny', seed: 1, validationShare: 0.1, labels: LABELS },
    input: { name: 'image', shape: SHAPE, dtype: 'uint8' },
    preprocessing: { kind: 'affine', scale: [1], offset: [0] },
    splits: { train: split, validation: split, test: split },
  };
});
afterAll(() => rmSync(root, { recursive: true }));

const card = (changes: Partial<ModelCard> & Pick<ModelCard, 'output'>): ModelCard =>
  ModelCard.parse({
    ...{ name: 'thing', dataset: 'tiny', source: 'a test', licence: 'MIT', intendedUse: 'tests' },
    ...{ framework: { name: 'hand' }, trainingData: 'none', input: {} },
    ...changes,
  });

/** Wraps a model, compares it with itself, and lets the served graph predict. */
async function imported(model: Onnx.IModelProto, about: ModelCard) {
  const path = join(root, 'sent.onnx');
  writeFileSync(path, bytesOf(model));
  const served = { input: 'image', shape: SHAPE, labels: LABELS };
  return adaptOnnx(path, { card: about, served }, async (graphs) => {
    const compared = await compareGraphs({ card: about, manifest, graphs, store });
    return { compared, onnx: await store.putFile(graphs.served, { mediaType: 'application/onnx' }) };
  });
}

/** softmax(Σ w · value), over the values in any order that `at` tells, computed here. */
function expected(prepare: (value: number, channel: number) => number, at: (position: number) => number): number[] {
  const logits = Array.from({ length: COUNT }, (_, sample) =>
    [0, 1, 2].map((label) =>
      Array.from({ length: SIZE }, (_, i) => i).reduce((sum, i) => {
        const place = at(i);
        return sum + prepare(raw[sample * SIZE + place] ?? 0, place % 2) * (weights[i * 3 + label] ?? 0);
      }, 0),
    ),
  );
  return [...softmax(Float32Array.from(logits.flat()), 3)];
}

const close = (actual: Float32Array, wanted: readonly number[]): number =>
  Math.max(...wanted.map((probability, i) => Math.abs(probability - (actual[i] ?? Number.NaN))));

describe('conventions of frameworks', () => {
  it('PyTorch: channels first, scaled by channel, logits', async () => {
    const model = plainModel(
      {},
      {
        node: [
          { opType: 'Flatten', input: ['x'], output: ['flat'], attribute: [int('axis', 1)] },
          { opType: 'Gemm', input: ['flat', 'W'], output: ['logits'] },
        ],
        initializer: [floats('W', [SIZE, 3], weights)],
        input: [value('x', ['n', 2, 2, 3])],
        output: [value('logits', ['n', 3])],
      },
    );
    const scale = [0.01, 0.02];
    const offset = [-0.5, 0.25];
    const { compared } = await imported(
      model,
      card({ input: { layout: 'channels-first', scale, offset }, output: { name: 'logits', kind: 'logits' } }),
    );
    // Position i of the flat [channel, row, column] is value [row, column, channel] of the sample.
    const at = (i: number): number => (i % 6) * 2 + Math.floor(i / 6);
    const wanted = expected((pixel, channel) => pixel * (scale[channel] ?? 0) + (offset[channel] ?? 0), at);
    expect(close(compared.answers, wanted)).toBeLessThan(1e-5);
    expect(compared).toMatchObject({ samples: COUNT, labelled: COUNT });
    expect(compared.maxAbsDifference).toBeLessThan(1e-5);
  });

  it('Keras: channels last, scaled to 1, softmax inside', async () => {
    const model = plainModel(
      {},
      {
        node: [
          { opType: 'Transpose', input: ['x'], output: ['t'], attribute: [ints('perm', [0, 3, 1, 2])] },
          { opType: 'Transpose', input: ['t'], output: ['u'], attribute: [ints('perm', [0, 2, 3, 1])] },
          { opType: 'Flatten', input: ['u'], output: ['flat'], attribute: [int('axis', 1)] },
          { opType: 'MatMul', input: ['flat', 'W'], output: ['logits'] },
          { opType: 'Softmax', input: ['logits'], output: ['dense_2'], attribute: [int('axis', 1)] },
        ],
        initializer: [floats('W', [SIZE, 3], weights)],
        input: [value('x', ['n', 2, 3, 2])],
        output: [value('dense_2', ['n', 3])],
      },
    );
    const { compared } = await imported(
      model,
      card({
        input: { layout: 'channels-last', scale: [1 / 255], offset: [0] },
        output: { name: 'dense_2', kind: 'probabilities' },
      }),
    );
    expect(
      close(
        compared.answers,
        expected(
          (pixel) => pixel / 255,
          (i) => i,
        ),
      ),
    ).toBeLessThan(1e-5);
  });

  const forest = (zipmap: Onnx.INodeProto[] = [], output = [value('scores', ['n', 3])]): Onnx.IModelProto =>
    plainModel(
      { opsetImport: [{ domain: 'ai.onnx.ml', version: 3 }] },
      {
        node: [forestNode(), ...zipmap],
        initializer: [],
        input: [value('pixels', ['n', SIZE])],
        output: [value('label', ['n'], DataType.INT64), ...output],
      },
    );

  it('scikit-learn: a forest on raw values in a row', async () => {
    const about = card({ output: { name: 'scores', kind: 'probabilities' } });
    const { onnx } = await imported(forest(), about);
    const { labels, probabilities } = await predictOnnx({
      ...{ onnx, store, samples: manifest.splits.test.x, shape: SHAPE, dtype: 'uint8', count: COUNT },
    });
    const wanted = Array.from({ length: COUNT }, (_, sample) => {
      const [first = 0, second = 0] = raw.subarray(sample * SIZE);
      return first <= 100 ? 0 : second <= 100 ? 1 : 2;
    });
    expect([...labels]).toEqual(wanted);
    expect(probabilities.length).toBe(COUNT * 3);
  });

  it('scikit-learn: with a ZipMap, whose labels are the card’s, in another order than the data set’s', async () => {
    const map = {
      ...{ name: 'map', opType: 'ZipMap', domain: 'ai.onnx.ml', input: ['scores'], output: ['maps'] },
      attribute: [strings('classlabels_strings', ['cat', 'ant', 'bee'])],
    };
    const sequence = { name: 'maps', type: { sequenceType: { elemType: { mapType: { keyType: DataType.STRING } } } } };
    const about = card({ labels: ['cat', 'ant', 'bee'], output: { name: 'maps', kind: 'probabilities' } });
    const { compared } = await imported(forest([map], [sequence as never]), about);
    const plain = await imported(forest(), card({ output: { name: 'scores', kind: 'probabilities' } }));
    const [cat, ant, bee] = plain.compared.answers;
    expect([...compared.answers.subarray(0, 3)]).toEqual([ant, bee, cat]);
    await expect(imported(forest([map], [sequence as never]), { ...about, labels: undefined })).rejects.toMatchObject({
      code: 'MODEL_CARD_INVALID',
      field: 'card.labels',
    });
  });
});

describe('what a card may not say', () => {
  const scores = { name: 'scores', kind: 'probabilities' } as const;
  const flat = (): Onnx.IModelProto =>
    plainModel({}, { input: [value('pixels', ['n', SIZE])], initializer: [floats('W', [SIZE, 3], weights)] });
  const wrong: [what: string, field: string, code: string, about: ModelCard][] = [
    [
      'an output that is not there',
      'card.output.name',
      'MODEL_CARD_INVALID',
      card({ output: { ...scores, name: 'x' } }),
    ],
    [
      'another layout',
      'card.input.layout',
      'MODEL_CARD_INVALID',
      card({ input: { layout: 'channels-first', scale: [1], offset: [0] }, output: scores }),
    ],
    [
      'scales of other channels',
      'card.input.scale',
      'MODEL_CARD_INVALID',
      card({ input: { layout: 'flat', scale: [1, 2, 3], offset: [0] }, output: scores }),
    ],
    ['labels of other data', 'card.labels', 'MODEL_CARD_INVALID', card({ labels: ['a', 'b', 'c'], output: scores })],
  ];
  it.each(wrong)('%s', async (_, field, code, about) => {
    await expect(imported(flat(), about)).rejects.toMatchObject({ code, field });
  });

  it('that logits are probabilities', async () => {
    const model = plainModel(
      {},
      {
        node: [{ opType: 'MatMul', input: ['pixels', 'W'], output: ['scores'] }],
        initializer: [floats('W', [SIZE, 3], weights)],
        input: [value('pixels', ['n', SIZE])],
      },
    );
    await expect(imported(model, card({ output: scores }))).rejects.toMatchObject({
      code: 'MODEL_DISAGREES',
      field: 'card.output.kind',
    });
  });

  it('a class that is not the most probable one', async () => {
    const model = plainModel(
      {},
      {
        node: [
          { opType: 'MatMul', input: ['pixels', 'W'], output: ['raw'] },
          { opType: 'Softmax', input: ['raw'], output: ['scores'], attribute: [int('axis', 1)] },
          { opType: 'ArgMin', input: ['raw'], output: ['label'], attribute: [int('axis', 1), int('keepdims', 0)] },
        ],
        initializer: [floats('W', [SIZE, 3], weights)],
        input: [value('pixels', ['n', SIZE])],
        output: [value('scores', ['n', 3]), value('label', ['n'], DataType.INT64)],
      },
    );
    await expect(imported(model, card({ output: { ...scores, label: 'label' } }))).rejects.toMatchObject({
      code: 'MODEL_DISAGREES',
      field: 'card.output.label',
    });
  });

  it('answers that depend on the samples beside', async () => {
    const model = plainModel(
      {},
      {
        node: [
          { opType: 'MatMul', input: ['pixels', 'W'], output: ['raw'] },
          { opType: 'ReduceMax', input: ['raw'], output: ['most'], attribute: [ints('axes', [0]), int('keepdims', 1)] },
          { opType: 'Sub', input: ['raw', 'most'], output: ['shifted'] },
          { opType: 'Softmax', input: ['shifted'], output: ['scores'], attribute: [int('axis', 1)] },
        ],
        initializer: [floats('W', [SIZE, 3], weights)],
        input: [value('pixels', ['n', SIZE])],
      },
    );
    await expect(imported(model, card({ output: scores }))).rejects.toMatchObject({
      code: 'MODEL_DISAGREES',
      message: expect.stringContaining('alone'),
    });
  });
});

describe('attackGraph', () => {
  it('asks the served graph, and finds the same examples however often it begins again', async () => {
    const model = plainModel(
      {},
      {
        node: [
          { opType: 'MatMul', input: ['pixels', 'W'], output: ['raw'] },
          { opType: 'Softmax', input: ['raw'], output: ['scores'], attribute: [int('axis', 1)] },
        ],
        initializer: [
          floats(
            'W',
            [SIZE, 3],
            weights.map((weight) => weight / 20),
          ),
        ],
        input: [value('pixels', ['n', SIZE])],
      },
    );
    const { onnx } = await imported(model, card({ output: { name: 'scores', kind: 'probabilities' } }));
    const committed: number[] = [];
    const options = {
      ...{ onnx, manifest, artifacts: store, batches: [0] },
      measurement: {
        attacks: [{ kind: 'square' as const, queries: 40 }],
        epsilons: [0.05, 0.3],
        samples: COUNT,
        seed: 7,
      },
      attacked: {
        finished: async () => new Map<number, never>(),
        commit: async ({ batch }: { batch: number }) => void committed.push(batch),
      },
    };
    const [first] = await attackGraph(options);
    const [again] = await attackGraph(options);
    const read = (ref: typeof first) => store.readJson(ref as NonNullable<typeof ref>, BatchResult);
    const [a, b] = [await read(first), await read(again)];
    expect({ ...a, seconds: 0 }).toEqual({ ...b, seconds: 0 });
    expect(committed).toEqual([0, 0]);
    expect(a).toMatchObject({ batch: 0, deviceClass: 'onnxruntime-cpu', trials: [{ attack: 'square-40' }, {}] });
    const right = (predicted: number[]): number => predicted.filter((label, i) => label === a.labels[i]).length;
    expect(right(a.trials[1]?.predicted ?? [])).toBeLessThan(right(a.clean));
    // Every example stays in its ball, and in the range of bytes.
    const examples = await readFloat32(await store.path(a.examples));
    const block = COUNT * SIZE;
    for (const [trial, epsilon] of [0.05, 0.3].entries()) {
      for (let i = 0; i < block; i += 1) {
        const [original = 0, moved = Number.NaN] = [examples[i], examples[(trial + 1) * block + i]];
        expect(Math.abs(moved - original) <= epsilon * 255 + 1e-4 && moved >= 0 && moved <= 255).toBe(true);
      }
    }
  });
});

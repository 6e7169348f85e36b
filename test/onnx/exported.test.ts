import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { onnx as Onnx } from 'onnx-proto';
import type { ModelCard } from '../../contracts/import-model.ts';
import type { PreparedManifest } from '../../contracts/prepared-data.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { prepare, readFloat32, readInt32 } from '../../lib/datasets/index.ts';
import { argmax } from '../../lib/evaluation/index.ts';
import { adaptOnnx, compareGraphs, runOnnx } from '../../lib/onnx/index.ts';
import { EXPORTED } from './exported-cards.ts';
import { bytesOf, DataType, floats, int, plainModel, value } from './support.ts';

const root = mkdtempSync(join(tmpdir(), 'saip-exported-'));
const store = new ArtifactStore({ root });
afterAll(() => rmSync(root, { recursive: true }));

async function imported(path: string, card: ModelCard) {
  const { manifest } = await prepare({ dataset: card.dataset, seed: 42, validationShare: 0.1, store });
  const table = manifest.version === 2 ? manifest : undefined;
  const served = { input: manifest.input.name, shape: manifest.input.shape, labels: manifest.labels, table };
  return adaptOnnx(path, { card, served }, async (graphs) => {
    const compared = await compareGraphs({ card, manifest, graphs, store });
    const onnx = await store.putFile(graphs.served, { mediaType: 'application/onnx' });
    return { manifest, compared, served: await runOnnx({ manifest, onnx, store }) };
  });
}

const truthsOf = async ({ splits }: PreparedManifest): Promise<string> => store.path(splits.test.y);

async function accuracyOf(manifest: PreparedManifest, answers: Float32Array): Promise<number> {
  const labels = await readInt32(await truthsOf(manifest));
  const predicted = argmax(answers, manifest.labels.length);
  return predicted.filter((label, i) => label === labels[i]).length / labels.length;
}

describe('a file that another library exported', () => {
  it.each([
    ['keras', 0.93],
    ['torch', 0.93],
    ['classes', 0.9],
  ] as const)(
    '%s is read, wrapped and right as often as it says',
    async (name, least) => {
      const { file, card } = EXPORTED[name];
      const { manifest, compared, served } = await imported(fileURLToPath(file), card);
      expect(compared.maxAbsDifference).toBeLessThan(1e-5);
      expect(await accuracyOf(manifest, compared.answers)).toBeGreaterThan(least);
      expect(served.probabilities).toEqual(compared.answers);
    },
    120_000,
  );

  it('of a regression on numbers and a category gives quantities in the unit of the target', async () => {
    const { file, card } = EXPORTED.quantity;
    const { manifest, compared, served } = await imported(fileURLToPath(file), card);
    const truths = await readFloat32(await truthsOf(manifest));
    const error = (of: (i: number) => number): number =>
      truths.reduce((sum, truth, i) => sum + (of(i) - truth) ** 2, 0) / truths.length;
    const mean = truths.reduce((sum, truth) => sum + truth, 0) / truths.length;
    const r2 = 1 - error((i) => compared.answers[i] as number) / error(() => mean);
    expect(r2).toBeGreaterThan(0.2);
    expect(served.predictions).toEqual(compared.answers);
  }, 120_000);
});

/** Four numbers to three classes. */
const flowers = (changes: Partial<Onnx.IGraphProto> = {}): Onnx.IModelProto =>
  plainModel(
    {},
    {
      input: [value('pixels', ['batch', 4])],
      initializer: [floats('W', [4, 3], [1, 0, -1, 0.5, 0.1, 0, -1, 0, 1, 0, 0.2, 0.3])],
      ...changes,
    },
  );
const card = (changes: object): ModelCard => ({
  ...EXPORTED.classes.card,
  labels: undefined,
  dataset: 'iris',
  output: { name: 'scores', kind: 'probabilities' },
  ...changes,
});

function sent(model: Onnx.IModelProto): string {
  const path = join(root, 'sent.onnx');
  writeFileSync(path, bytesOf(model));
  return path;
}

describe('a graph of one matrix on a table', () => {
  it('gets the encoded row, scaled as the card says, and serves named features', async () => {
    const layout = { layout: 'flat' as const, scale: [0.1, 0.2, 0.3, 0.4], offset: [0] };
    const { compared, served, manifest } = await imported(sent(flowers()), card({ input: layout }));
    expect(compared.maxAbsDifference).toBeLessThan(1e-6);
    expect(served.probabilities).toEqual(compared.answers);
    expect(compared.samples).toBe(manifest.splits.test.count);
  });

  const quantity = { name: 'scores', kind: 'quantity' };
  const flat = { layout: 'flat', scale: [1], offset: [0] };
  const named = (...names: string[]): Onnx.IModelProto =>
    flowers({
      node: [
        { opType: 'Concat', input: names, output: ['pixels'], attribute: [int('axis', 1)] },
        { opType: 'MatMul', input: ['pixels', 'W'], output: ['raw'] },
        { opType: 'Softmax', input: ['raw'], output: ['scores'], attribute: [int('axis', 1)] },
      ],
      input: names.map((name) => value(name, ['batch', 1])),
    });
  const features = ['sepal length', 'sepal width', 'petal length', 'petal width'];
  const columns = { layout: 'columns', scale: [1], offset: [0] };

  it.each([
    [
      'a quantity where classes are asked for',
      flowers(),
      card({ input: flat, output: quantity }),
      'output.kind',
      DataType.FLOAT,
    ],
    [
      'classes where a quantity is asked for',
      flowers(),
      card({ dataset: 'diabetes', input: flat }),
      'output.kind',
      DataType.FLOAT,
    ],
    ['several inputs as one', named(...features), card({ input: flat }), 'input.layout', DataType.FLOAT],
    [
      'a feature that the table has not',
      named('a', ...features.slice(1)),
      card({ input: columns }),
      'input.layout',
      DataType.FLOAT,
    ],
    ['too few features', named(...features.slice(1)), card({ input: columns }), 'input.layout', DataType.FLOAT],
    [
      'named features that are scaled',
      named(...features),
      card({ input: { ...columns, scale: [2] } }),
      'input.scale',
      DataType.FLOAT,
    ],
    ['channels', flowers(), card({ input: { ...flat, layout: 'channels-last' } }), 'input.layout', DataType.FLOAT],
    ['fractions as integers', named(...features), card({ input: columns }), 'input.layout', DataType.INT64],
    ['numbers as strings', named(...features), card({ input: columns }), 'input.layout', DataType.STRING],
  ] as const)('does not get %s', async (_, model, about, field, type) => {
    const inputs = (model.graph?.input ?? []).map(({ name, type: declared }) => ({
      ...{ name, type: { tensorType: { ...declared?.tensorType, elemType: type } } },
    }));
    const graph = { ...model.graph, input: inputs };
    await expect(imported(sent({ ...model, graph }), about)).rejects.toMatchObject({
      ...{ code: 'MODEL_CARD_INVALID', field: `card.${field}` },
    });
  });
});

/** @jest-environment ./test/support/ort-environment.js */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { createApp } from '../../api/app.ts';
import { HttpMetrics } from '../../api/http/metrics.ts';
import { cors } from '../../api/auth/index.ts';
import { scoreRoute } from '../../api/routes/score.ts';
import { InferenceMetrics, InferenceRecorder, ServedModels } from '../../api/serving/index.ts';
import { decodeInferRequest, type InferAnswer } from '../../api/serving/codec/index.ts';
import { infer } from '../../api/serving/infer.ts';
import { LoadedModel } from '../../api/serving/loaded-model.ts';
import { predict } from '../../api/serving/predict.ts';
import { ThreadPool } from '../../api/serving/runtime/thread-pool.ts';
import { ModelConfig } from '../../contracts/model-config.ts';
import type { PreparedTable } from '../../contracts/prepared-data.ts';
import { ModelFacts } from '../../contracts/registry.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { encodeRow, readFloat32 } from '../../lib/datasets/index.ts';
import { writeSafetensors } from '../../lib/ml/index.ts';
import { checkParity, exportOnnx, runOnnx } from '../../lib/onnx/index.ts';
import { guardInMemory } from '../api/support/guard.ts';
import { listen } from '../api/support/listen.ts';
import { peopleTable } from '../datasets/table/people.ts';

const root = mkdtempSync(path.join(tmpdir(), 'saip-onnx-table-'));
const store = new ArtifactStore({ root });
const settings = { intraOpNumThreads: 1 };
const threads = new ThreadPool({ size: 1, settings });
afterAll(async () => {
  await threads.close();
  rmSync(root, { recursive: true });
});

const ada = { age: 50, 'weight in kg': 61.5, smokes: true, town: 'Ulm' };

const WEIGHTS = [0.5, -0.25, 1, 0.75, -0.5, 0.25, 2, -1, 0.1, 0.3, -0.7, 0.6, 0.2, -0.4, 0.9, 0.8];

/** One dense layer with made weights, its graph, and what it gives, computed here in double precision. */
async function linear(task: 'classification' | 'regression') {
  const manifest = await peopleTable(store, { rows: 200, seed: 5, task });
  const units = task === 'classification' ? 2 : 1;
  const inputs = manifest.input.shape[0];
  const kernel = Float32Array.from({ length: inputs * units }, (_, i) => WEIGHTS[i] as number);
  const bias = Float32Array.from({ length: units }, (_, i) => 0.1 * i);
  const model = ModelConfig.parse({
    name: 'people',
    task: task === 'classification' ? 'multiclass' : 'regression',
    layers: [{ type: 'dense', units }],
  });
  const weights = writeSafetensors(
    new Map([
      ['layers.0.kernel', { shape: [inputs, units], data: kernel }],
      ['layers.0.bias', { shape: [units], data: bias }],
    ]),
  );
  const bytes = exportOnnx({ model, weights, manifest, dataSha256: '0'.repeat(64) });
  const onnx = await store.put(bytes, { mediaType: 'application/onnx' });
  const outputs = await expected(manifest, kernel, bias);
  return { manifest, bytes, onnx, outputs };
}

async function expected(manifest: PreparedTable, kernel: Float32Array, bias: Float32Array): Promise<Float32Array> {
  const { columns, preprocessing, splits, regression } = manifest;
  const x = await readFloat32(await store.path(splits.test.x));
  const units = bias.length;
  const encoded = new Float32Array(kernel.length / units);
  const outputs = new Float32Array(splits.test.count * units);
  for (let row = 0; row < splits.test.count; row += 1) {
    encodeRow(columns, x.subarray(row * columns.length, (row + 1) * columns.length), encoded, 0);
    for (let unit = 0; unit < units; unit += 1) {
      const value = encoded.reduce((sum, raw, i) => {
        const scaled = raw * (preprocessing.scale[i] ?? 0) + (preprocessing.offset[i] ?? 0);
        return sum + scaled * (kernel[i * units + unit] ?? 0);
      }, bias[unit] ?? 0);
      outputs[row * units + unit] = regression === undefined ? value : value * regression.scale + regression.mean;
    }
  }
  return outputs;
}

async function served(task: 'classification' | 'regression') {
  const { manifest, bytes } = await linear(task);
  const { columns, missing, regression, labels } = manifest;
  const interval = { value: 1, low: 1, high: 1 };
  const facts = ModelFacts.parse({
    version: 2,
    model: 'people',
    dataset: 'people',
    cardSha256: 'a'.repeat(64),
    dataSha256: 'b'.repeat(64),
    labels,
    evaluation: regression
      ? { task: 'regression', samples: 1, rmse: interval, mae: interval, r2: interval }
      : { samples: 1, accuracy: interval, macroF1: interval, logLoss: interval, ece: interval },
    export: { maxAbsDifference: 0, samples: 1 },
    columns,
    missing,
    ...(regression && { target: { name: regression.name, unit: regression.unit } }),
  });
  return LoadedModel.load({ model: 'people', version: '1', digest: 'd', bytes, facts, settings, threads });
}

const asIs = (answer: InferAnswer) => answer;

describe('the graph of a table', () => {
  it.each(['classification', 'regression'] as const)(
    'takes raw named features of every kind and encodes them as training does: %s',
    async (task) => {
      const { manifest, onnx, outputs } = await linear(task);
      const parity = await checkParity({ onnx, manifest, store, logits: outputs });
      expect(parity.samples).toBe(manifest.splits.test.count);
      const wrong = outputs.map((value, i) => (i === 3 ? value + 5 : value));
      await expect(checkParity({ onnx, manifest, store, logits: wrong })).rejects.toMatchObject({
        code: 'EXPORT_PARITY',
      });
    },
  );

  it('is refused for a table of other columns', async () => {
    const { manifest, onnx } = await linear('classification');
    const columns = manifest.columns.map((column) => (column.name === 'town' ? { ...column, name: 'city' } : column));
    await expect(runOnnx({ onnx, manifest: { ...manifest, columns }, store })).rejects.toMatchObject({
      code: 'TENSOR_INVALID',
      message: expect.stringContaining('"town"'),
    });
  });

  it('has the same bytes twice, and no two values of one name', async () => {
    const [first, second] = [await linear('classification'), await linear('classification')];
    expect(Buffer.compare(first.bytes, second.bytes)).toBe(0);
    const columns = first.manifest.columns.map((column, i) =>
      i === 0 ? { ...column, name: 'layers.0.bias' } : column,
    );
    const weights = writeSafetensors(
      new Map([
        ['layers.0.kernel', { shape: [8, 2], data: new Float32Array(16) }],
        ['layers.0.bias', { shape: [2], data: new Float32Array(2) }],
      ]),
    );
    const model = ModelConfig.parse({ name: 'people', layers: [{ type: 'dense', units: 2 }] });
    const options = { model, weights, manifest: { ...first.manifest, columns }, dataSha256: '0'.repeat(64) };
    expect(() => exportOnnx(options)).toThrow(expect.objectContaining({ code: 'EXPORT_UNSUPPORTED' }));
  });
});

describe('predict', () => {
  it('gives labels with probabilities, and takes missing values in every spelling', async () => {
    const model = await served('classification');
    const records = [ada, { ...ada, smokes: 'yes' }, { age: 50, town: 'NA' }, { ...ada, smokes: null, town: '' }];
    const { response } = await predict(model, records);
    expect(response).toMatchObject({ model: 'people', version: '1', warnings: [] });
    const [first, second] = response.predictions as { label: string; probabilities: Record<string, number> }[];
    expect(Object.keys(first?.probabilities ?? {})).toEqual(['no', 'yes']);
    expect(first).toEqual(second);
    const [, , third, fourth] = response.predictions as { probability: number }[];
    expect(third?.probability).not.toBeCloseTo(fourth?.probability ?? 0, 6);
  });

  it('gives a quantity in its unit', async () => {
    const { response } = await predict(await served('regression'), [ada]);
    expect(response.target).toEqual({ name: 'days', unit: 'd' });
    expect(response.predictions).toEqual([{ value: expect.any(Number) }]);
  });

  it('warns of what the training has not seen', async () => {
    const { response } = await predict(await served('classification'), [{ ...ada, age: 200, town: 'Rom' }]);
    expect(response.warnings.map(({ feature, message }) => [feature, message])).toEqual([
      ['age', expect.stringContaining('outside of the training')],
      ['town', expect.stringContaining('no category "Rom"')],
    ]);
  });

  it.each([
    [{ ...ada, age: '50' }, 'age'],
    [{ ...ada, age: 1e39 }, 'age'],
    [{ ...ada, smokes: 'sometimes' }, 'smokes'],
    [{ town: 'Ulm' }, 'age'],
    [{ ...ada, shoe: 43 }, 'shoe'],
    [{ ...ada, __proto__x: 1 }, '__proto__x'],
  ])('names the feature that is wrong in %j', async (record, feature) => {
    await expect(predict(await served('classification'), [ada, record])).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      field: `body.records[1].${feature}`,
    });
  });

  it('is answered alike by the Open Inference Protocol, with strings as BYTES', async () => {
    const model = await served('classification');
    const input = (name: string, datatype: string, value: unknown) => ({
      name,
      shape: [1, 1],
      datatype,
      data: [value],
    });
    const inputs = [
      input('age', 'FP32', 50),
      input('weight in kg', 'FP32', 61.5),
      input('smokes', 'BYTES', 'yes'),
      input('town', 'BYTES', 'Ulm'),
    ];
    const call = (body: object) => decodeInferRequest(Buffer.from(JSON.stringify(body)), {});
    const { response } = await infer(model, call({ inputs }), {}, asIs);
    const records = await predict(model, [ada]);
    const probabilities = response.outputs.find(({ name }) => name === 'probabilities')?.tensor.data;
    const [first] = records.response.predictions as { probabilities: Record<string, number> }[];
    expect(Object.values(first?.probabilities ?? {})).toEqual([...(probabilities ?? [])]);
    const rows = [{ ...inputs[0], shape: [2, 1], data: [1, 2] }, ...inputs.slice(1)];
    await expect(infer(model, call({ inputs: rows }), {}, asIs)).rejects.toMatchObject({ code: 'TENSOR_INVALID' });
    const numbers = [...inputs.slice(0, 3), input('town', 'BYTES', 7)];
    await expect(infer(model, call({ inputs: numbers }), {}, asIs)).rejects.toMatchObject({ code: 'TENSOR_INVALID' });
    // A missing value of a feature that the training knew to be missing is null, as it is in records.
    const absent = inputs.map((one) => (one.name === 'weight in kg' ? { ...one, data: [null] } : one));
    const without = await predict(model, [{ ...ada, 'weight in kg': null }]);
    const { response: missing } = await infer(model, call({ inputs: absent }), {}, asIs);
    const [unknown] = without.response.predictions as { probabilities: Record<string, number> }[];
    const known = missing.outputs.find(({ name }) => name === 'probabilities')?.tensor.data ?? [];
    expect(Object.values(unknown?.probabilities ?? {})).toEqual([...known]);
  });
});

describe('a file of records', () => {
  let people: Promise<LoadedModel> | undefined;

  async function score(type: string, body: string): Promise<{ status: number; lines: Record<string, unknown>[] }> {
    const loaded = await (people ??= served('classification'));
    const models = new ServedModels();
    const target = { model: 'people', alias: 'champion', version: '1', digest: 'd' };
    models.set({ state: 'ready', target, loaded });
    const registry = new Registry();
    const records: string[] = [];
    const { guard } = await guardInMemory({ protection: { outOfRange: 'mark' } });
    const recorder = new InferenceRecorder({
      append: async ({ action }) => void records.push(action),
      onRefused: () => undefined,
    });
    const app = createApp({
      routes: [scoreRoute({ served: models, metrics: new InferenceMetrics(registry, models), recorder, guard })],
      metrics: new HttpMetrics(registry),
      https: false,
      cors: cors({ origins: new Set(), prefix: '/none' }),
      logger: { error: () => undefined, warn: () => undefined, info: () => undefined },
      guards: {
        authenticate: async () => ({ sub: 'ann', roles: ['predictor'], tenant: 'default', expiresAt: 0 }),
        decide: () => ({ allow: true, rule: 'role:predictor' }),
        audit: async () => undefined,
        limiters: { credentials: (_request, _response, next) => next() },
      },
    });
    const server = await listen(app);
    try {
      const headers = { 'content-type': type };
      const answer = await fetch(`${server.url}/v1/models/people/score`, { method: 'POST', headers, body });
      let text = '';
      const decoder = new TextDecoder();
      try {
        for await (const piece of answer.body ?? []) text += decoder.decode(piece as Uint8Array, { stream: true });
      } catch {
        // The connection of an answer that cannot go on is cut.
      }
      const lines = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      if (answer.status === 200) expect(records.length).toBe(Math.ceil(lines.length / 256));
      return { status: answer.status, lines };
    } finally {
      await server.close();
    }
  }

  it('is answered line by line, in batches that are each recorded, from CSV and from NDJSON alike', async () => {
    const rows = Array.from({ length: 600 }, (_, i) => ({ ...ada, age: 20 + (i % 60) }));
    const csv = `id,age,weight in kg,smokes,town\n${rows.map(({ age, town }, i) => `${i},${age},61.5,yes,${town}`).join('\n')}`;
    const ndjson = rows.map((row) => JSON.stringify(row)).join('\n');
    const [first, second] = [await score('text/csv', csv), await score('application/x-ndjson', ndjson)];
    expect(first.status).toBe(200);
    expect(first.lines.length).toBe(600);
    expect(first).toEqual(second);
    const { response } = await predict(await (people ??= served('classification')), [rows[599] ?? ada]);
    expect(first.lines[599]).toMatchObject({ record: 599, version: '1', ...response.predictions[0] });
  });

  it('that is wrong at its beginning is refused, and later ends with what was wrong', async () => {
    expect(await score('application/x-ndjson', '{"age":{}}')).toMatchObject({ status: 400 });
    const good = JSON.stringify(ada);
    const lines = [...new Array<string>(300).fill(good), JSON.stringify({ ...ada, age: 'old' })].join('\n');
    const answer = await score('application/x-ndjson', lines);
    expect(answer.status).toBe(200);
    expect(answer.lines.length).toBe(257);
    expect(answer.lines.at(-1)).toEqual({
      error: { code: 'REQUEST_INVALID', detail: expect.stringContaining('Record 300, "age"') },
    });
  });
});

/** @jest-environment ./test/support/ort-environment.js */
import { afterEach, describe, expect, it } from '@jest/globals';
import { decodeInferRequest, encodeInferResponse } from '../../../api/serving/codec/index.ts';
import { infer } from '../../../api/serving/infer.ts';
import { LoadedModel } from '../../../api/serving/loaded-model.ts';
import { ThreadPool } from '../../../api/serving/runtime/thread-pool.ts';
import type { TensorData } from '../../../api/serving/tensors.ts';
import { InferResponse } from '../../../contracts/inference.ts';
import { deepModel, identityModel, linearModel } from '../support/onnx-models.ts';

const settings = { intraOpNumThreads: 1 };
const pools: ThreadPool[] = [];

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

function threadPool(): ThreadPool {
  const pool = new ThreadPool({ size: 1, settings });
  pools.push(pool);
  return pool;
}

const load = (bytes: Uint8Array, threads = threadPool(), inlineBudget?: number) =>
  LoadedModel.load({ model: 'm', version: '1', digest: 'd', bytes, settings, threads, inlineBudget });

const rows = (count: number, features: number): TensorData => ({
  type: 'float32',
  data: new Float32Array(count * features).fill(1),
  dims: [count, features],
});

/** What the model answers to a body, as it is sent. */
async function ask(model: LoadedModel, body: object): Promise<InferResponse> {
  const call = decodeInferRequest(Buffer.from(JSON.stringify(body)), {});
  const { response } = await infer(model, call, {}, encodeInferResponse);
  return InferResponse.parse(JSON.parse(response.body.toString()));
}

describe('LoadedModel', () => {
  it('knows its inputs and outputs', async () => {
    const model = await load(linearModel());
    expect(model.inputs).toEqual([{ name: 'x', datatype: 'FP32', shape: [-1, 4] }]);
    expect(model.outputs).toEqual([
      { name: 'score', datatype: 'FP32', shape: [-1, 2] },
      { name: 'label', datatype: 'INT64', shape: [-1] },
    ]);
  });

  it.each(['BOOL', 'UINT8', 'INT16', 'INT32', 'INT64', 'FLOAT', 'DOUBLE'] as const)(
    'passes %s through the runtime unchanged',
    async (element) => {
      const model = await load(identityModel(element));
      const { datatype = 'FP32' } = model.inputs[0] ?? {};
      const data = element === 'BOOL' ? [true, false] : [1, 0];
      const response = await ask(model, { inputs: [{ name: 'x', shape: [1, 2], datatype, data }] });
      expect(response.outputs).toEqual([{ name: 'y', shape: [1, 2], datatype, data }]);
    },
  );

  it('refuses bytes that are no graph', async () => {
    await expect(load(Buffer.from('not a graph'))).rejects.toMatchObject({ code: 'MODEL_LOAD_FAILED' });
  });

  it('refuses element types that cannot be served', async () => {
    await expect(load(identityModel('FLOAT16'))).rejects.toMatchObject({ code: 'MODEL_LOAD_FAILED' });
  });

  it('sends calls that would hold the event loop to a thread, with the same result', async () => {
    const model = await load(deepModel());
    const inline = await load(deepModel(), threadPool(), Number.POSITIVE_INFINITY);
    const size = 256;
    expect(model.isHeavy(512)).toBe(true);
    expect(inline.isHeavy(512)).toBe(false);
    const fetches = model.outputs.map(({ name }) => name);
    let ticks = 0;
    const clock = setInterval(() => (ticks += 1), 1);
    const heavy = await model.run({ x: rows(512, size) }, fetches);
    clearInterval(clock);
    const light = await inline.run({ x: rows(1, size) }, fetches);
    const [name = ''] = fetches;
    expect(heavy[name]?.dims).toEqual([512, size]);
    expect(heavy[name]?.data.slice(0, size)).toEqual(light[name]?.data);
    expect(ticks).toBeGreaterThan(0);
  });

  it('finishes what was begun before it was retired, then frees itself', async () => {
    const model = await load(linearModel());
    const running = Array.from({ length: 20 }, () => model.run({ x: rows(1, 4) }, ['score']));
    await model.retire();
    expect(await Promise.all(running)).toHaveLength(20);
    await expect(model.run({ x: rows(1, 4) }, ['score'])).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
  });

  it('goes on after its thread died', async () => {
    const threads = threadPool();
    const model = await load(deepModel(), threads);
    const fetches = model.outputs.map(({ name }) => name);
    await model.run({ x: rows(512, 256) }, fetches);
    await threads.close();
    expect(Object.keys(await model.run({ x: rows(512, 256) }, fetches))).toEqual(fetches);
  });
});

describe('infer', () => {
  const request = { inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32' as const, data: [1, 2, 3, 4] }] };

  it('answers with model, version, the id of the request and every output', async () => {
    const response = await ask(await load(linearModel({ bias: 5 })), { id: 'mine', ...request });
    expect(response).toEqual({
      model_name: 'm',
      model_version: '1',
      id: 'mine',
      outputs: [
        { name: 'score', shape: [1, 2], datatype: 'FP32', data: [15, 14] },
        { name: 'label', shape: [1], datatype: 'INT64', data: [0] },
      ],
    });
  });

  it('gives only the outputs that were asked for', async () => {
    const response = await ask(await load(linearModel()), { ...request, outputs: [{ name: 'label' }] });
    expect(response.outputs.map(({ name }) => name)).toEqual(['label']);
  });

  it.each([
    ['an unknown input', { inputs: [{ ...request.inputs[0], name: 'z' }] }, 'body.inputs[0].name'],
    ['an input given twice', { inputs: [request.inputs[0], request.inputs[0]] }, 'body.inputs[1].name'],
    ['an unknown output', { ...request, outputs: [{ name: 'nope' }] }, 'body.outputs[0].name'],
  ])('refuses %s', async (_, body, field) => {
    const model = await load(linearModel());
    await expect(ask(model, body)).rejects.toMatchObject({ code: 'TENSOR_INVALID', field });
  });
});

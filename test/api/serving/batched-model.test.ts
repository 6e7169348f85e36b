/** @jest-environment ./test/support/ort-environment.js */
import { afterAll, describe, expect, it } from '@jest/globals';
import { ApiError } from '../../../api/errors.ts';
import { decodeInferRequest, type InferAnswer } from '../../../api/serving/codec/index.ts';
import { infer } from '../../../api/serving/infer.ts';
import { LoadedModel, type BatchSettings } from '../../../api/serving/loaded-model.ts';
import { ThreadPool } from '../../../api/serving/runtime/thread-pool.ts';
import { deepModel, identityModel, linearModel, meanModel } from '../support/onnx-models.ts';

const settings = { intraOpNumThreads: 1 };
const threads = new ThreadPool({ size: 1, settings });

afterAll(() => threads.close());

const load = (bytes: Uint8Array, mode: BatchSettings['mode']) =>
  LoadedModel.load({
    model: 'm',
    version: '1',
    digest: 'd',
    bytes,
    settings,
    threads,
    batching: { mode, rows: 16, delay: 2, queue: 64 },
  });

const request = (value: number, shape = [1, 4], data = [value, 1, 2, 3]) =>
  decodeInferRequest(Buffer.from(JSON.stringify({ inputs: [{ name: 'x', shape, datatype: 'FP32', data }] })), {});

const asIs = (answer: InferAnswer) => answer;

describe('a model whose requests share calls', () => {
  it('answers each with its own rows', async () => {
    const model = await load(linearModel(), 'on');
    expect(model.batches).toBe(true);
    const answers = await Promise.all(Array.from({ length: 40 }, (_, value) => infer(model, request(value), {}, asIs)));
    const read = ({ response }: (typeof answers)[number]) =>
      response.outputs.map(({ name, tensor }) => [name, tensor.dims, Array.from(tensor.data as Float32Array, Number)]);
    expect(answers.map(read)).toEqual(
      Array.from({ length: 40 }, (_, value) => [
        ['score', [1, 2], [value + 6, value + 5]],
        ['label', [1], [0]],
      ]),
    );
    expect(Math.max(...answers.map(({ timings }) => timings.batch ?? 1))).toBe(16);
  });

  it('lets one that is wrong fail alone', async () => {
    const model = await load(linearModel(), 'on');
    const wrong = request(1, [1, 3], [1, 2, 3]);
    const [good, bad] = await Promise.allSettled([infer(model, request(1), {}, asIs), infer(model, wrong, {}, asIs)]);
    expect([good?.status, bad?.status]).toEqual(['fulfilled', 'rejected']);
  });

  it('is one that takes any number of rows, and gives each what it would give it alone', async () => {
    expect((await load(identityModel('FLOAT', [1, 2]), 'on')).batches).toBe(false);
    // Its output depends on the neighbours of a row.
    expect((await load(meanModel(), 'on')).batches).toBe(false);
  });

  it('is chosen by what sharing was measured to be worth', async () => {
    // What else the machine does can spoil a measurement, but hardly every one.
    const measured = async (bytes: Uint8Array) => {
      const loads = [await load(bytes, 'auto'), await load(bytes, 'auto'), await load(bytes, 'auto')];
      return new Set(loads.map(({ batches }) => batches));
    };
    expect(await measured(deepModel({ size: 512 }))).toContain(true);
    expect((await load(deepModel({ size: 512 }), 'off')).batches).toBe(false);
  });

  it('answers nobody whose time was up while the call ran', async () => {
    const model = await load(linearModel(), 'on');
    const over = new ApiError('UNAVAILABLE', 'No answer was ready within 0.001 s.');
    let asked = 0;
    const patience = {
      get over() {
        // Looked at before the call, and then after it.
        asked += 1;
        return asked > 1 ? over : undefined;
      },
    };
    await expect(infer(model, request(1), { patience }, asIs)).rejects.toBe(over);
    await expect(infer(model, request(1), { patience: { over } }, asIs)).rejects.toBe(over);
  });

  it('finishes what waits when it is retired', async () => {
    const model = await load(linearModel(), 'on');
    const waiting = Array.from({ length: 30 }, (_, value) => infer(model, request(value), {}, asIs));
    await model.retire();
    expect(await Promise.all(waiting)).toHaveLength(30);
    await expect(infer(model, request(1), {}, asIs)).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
  });
});

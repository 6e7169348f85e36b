/** @jest-environment ./test/support/ort-environment.js */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { loadToolchain } from '../../infra/local/toolchain.ts';
import { startApi, type TestApi } from './support/harness.ts';
import { identityModel, linearModel } from './support/onnx-models.ts';
import { openRegistry, type TestRegistry } from './support/registry.ts';
import { until } from './support/until.ts';

const SUPPORT = join(import.meta.dirname, 'support');

let api: TestApi;
let registry: TestRegistry;

beforeAll(async () => {
  registry = await openRegistry();
  api = await startApi();
});

afterAll(async () => {
  await api.stop();
  await registry.close();
});

async function served(bytes: Uint8Array): Promise<string> {
  const model = `public-${randomUUID().slice(0, 8)}`;
  const { version } = await registry.register(model, bytes);
  await registry.alias(model, 'champion', version);
  const ready = () => api.call('GET', `/v2/models/${model}/ready`, { role: 'predictor' });
  await until(`${model} is served`, async () => (await ready()).status === 200);
  return model;
}

/** What a public client makes of this API. */
async function report(script: string, given: Readonly<Record<string, string>>): Promise<unknown> {
  const tokens = { predictor: await api.token('predictor'), admin: await api.token('admin') };
  const client = spawn(loadToolchain().apiClients, [join(SUPPORT, script)]);
  const output = Promise.all([text(client.stdout), text(client.stderr)]);
  client.stdin.end(JSON.stringify({ ...tokens, ...given }));
  const [stdout, stderr] = await output;
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

describe('the client of Triton Inference Server', () => {
  it('works as it is: JSON, raw tensors, classes, repository and statistics', async () => {
    const [linear = '', integers = '', strings = '', truths = ''] = await Promise.all([
      served(linearModel({ bias: 1 })),
      served(identityModel('INT64')),
      served(identityModel('STRING')),
      served(identityModel('BOOL')),
    ]);
    const url = new URL(api.url).host;
    expect(await report('triton-client.py', { url, linear, integers, strings, truths })).toEqual({
      server: [true, true],
      extensions: expect.arrayContaining(['binary_tensor_data', 'classification', 'model_repository', 'statistics']),
      ready: true,
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
      json: [[11.5, 10.5]],
      binary: [[11.5, 10.5]],
      compressed: [0],
      mixed: { id: 'mine', parameters: { trace: 'abc' }, score: [[11.5, 10.5]], label: [0] },
      classes: ['11.5:0'],
      echoes: {
        ...{ 'INT64 JSON': true, 'INT64 binary': true },
        ...{ 'BYTES JSON': true, 'BYTES binary': true },
        ...{ 'BOOL JSON': true, 'BOOL binary': true },
      },
      refused: { status: '400', message: 'The shape is [1, 3], the model takes [-1, 4].' },
      index: [{ name: linear, version: '1', state: 'READY', reason: '' }],
      forbidden: { status: '403', message: expect.stringContaining('model:serve') },
      unloaded: {
        ready: false,
        infer: { status: '409', message: expect.stringContaining('out of service') },
        index: ['UNAVAILABLE'],
      },
      loaded: true,
      statistics: expect.objectContaining({
        name: linear,
        version: '1',
        inference_count: 5,
        execution_count: 5,
        inference_stats: expect.objectContaining({
          success: { count: 5, ns: expect.any(Number) },
          fail: { count: 1, ns: expect.any(Number) },
        }),
      }),
    });
  });
});

describe('the inference client of KServe', () => {
  it('works as it is: health, JSON, raw tensors, exact integers and refusals', async () => {
    const [linear, integers] = [await served(linearModel({ bias: 1 })), await served(identityModel('INT64'))];
    expect(await report('kserve-client.py', { url: api.url, linear, integers })).toEqual({
      server: [true, true],
      ready: true,
      json: { id: 'mine', model: linear },
      score: { score: [[11.5, 10.5]], label: [0] },
      binary: [[11.5, 10.5]],
      exact: [true, true],
      // It reads the words of an error where the media type is application/json alone, and not problem+json.
      refused: 400,
      unknown: 404,
    });
  });
});

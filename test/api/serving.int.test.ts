/** @jest-environment ./test/support/ort-environment.js */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AliasHistory, AliasList, ModelDetail, ModelVersionList } from '../../contracts/api.ts';
import { InferResponse, ModelMetadata, ModelReady } from '../../contracts/inference.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import { linearModel } from './support/onnx-models.ts';
import { problemOf, startApi, type Answer, type TestApi } from './support/harness.ts';
import { openRegistry, type TestRegistry } from './support/registry.ts';
import { until } from './support/until.ts';

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

const unique = (name: string) => `${name}-${randomUUID().slice(0, 8)}`;
const body = (bias = 0) => ({ inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [bias, 0, 0, 0] }] });
const infer = (name: string, on: TestApi = api): Promise<Answer> =>
  on.call('POST', `/v2/models/${name}/infer`, { role: 'predictor', json: body() });
const score = (answer: Answer) => InferResponse.parse(answer.body).outputs[0]?.data[0];

const ready = (name: string, on: TestApi = api) => on.call('GET', `/v2/models/${name}/ready`, { role: 'predictor' });
const untilServed = (name: string, version: string, on: TestApi = api) =>
  until(`${name} is served`, async () => {
    const { status, body: answer } = await ready(name, on);
    return status === 200 && ModelReady.parse(answer).version === version;
  });
const untilRefused = (name: string, code: string) =>
  until(`${name} is refused`, async () => {
    const { status, body: answer } = await ready(name);
    return status === 503 && ModelReady.parse(answer).code === code;
  });

/** A registered version of its own under `champion`. */
async function served(bias: number): Promise<{ model: string; version: string }> {
  const model = unique('served');
  const { version } = await registry.register(model, linearModel({ bias }));
  await registry.alias(model, 'champion', version);
  await untilServed(model, version);
  return { model, version };
}

describe('the Open Inference Protocol', () => {
  it('describes the server', async () => {
    expect((await api.call('GET', '/v2')).body).toEqual({
      name: 'secure-ai-platform',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      extensions: expect.arrayContaining(['binary_tensor_data', 'model_repository', 'statistics']),
    });
    expect((await api.call('GET', '/v2/health/live')).body).toEqual({ live: true });
    expect((await api.call('GET', '/v2/health/ready')).body).toEqual({ ready: true });
  });

  it('describes a model, by name, alias and version', async () => {
    const { model, version } = await served(0);
    const expected = {
      name: model,
      versions: [version],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [
        { name: 'score', datatype: 'FP32', shape: [-1, 2] },
        { name: 'label', datatype: 'INT64', shape: [-1] },
      ],
    };
    for (const path of [model, `${model}@champion`, `${model}/versions/${version}`]) {
      const { status, body: answer } = await api.call('GET', `/v2/models/${path}`, { role: 'predictor' });
      expect({ status, answer: ModelMetadata.parse(answer) }).toEqual({ status: 200, answer: expected });
      expect((await ready(path)).body).toEqual({ name: model, ready: true, version });
    }
  });

  it('predicts, echoes the id, and keeps to the outputs that were asked for', async () => {
    const { model, version } = await served(2);
    const json = { id: 'mine', ...body(1), outputs: [{ name: 'score' }] };
    for (const path of [model, `${model}/versions/${version}`]) {
      const answer = await api.call('POST', `/v2/models/${path}/infer`, { role: 'predictor', json });
      expect(answer.status).toBe(200);
      expect(InferResponse.parse(answer.body)).toEqual({
        model_name: model,
        model_version: version,
        id: 'mine',
        outputs: [{ name: 'score', shape: [1, 2], datatype: 'FP32', data: [3, 2] }],
      });
    }
  });

  it('takes nested data of another datatype, and batches', async () => {
    const { model } = await served(0);
    const data = [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ];
    const json = { inputs: [{ name: 'x', shape: [2, 4], datatype: 'UINT8', data }] };
    const answer = await api.call('POST', `/v2/models/${model}/infer`, { role: 'predictor', json });
    expect(InferResponse.parse(answer.body).outputs).toEqual([
      { name: 'score', shape: [2, 2], datatype: 'FP32', data: [10, 9, 26, 25] },
      { name: 'label', shape: [2], datatype: 'INT64', data: [0, 0] },
    ]);
  });

  it.each([
    ['an unknown model', 'nope', body(), 404, 'MODEL_UNKNOWN'],
    ['an unknown alias', '@challenger', body(), 404, 'ALIAS_UNKNOWN'],
    ['an unknown version', '/versions/99', body(), 404, 'MODEL_VERSION_UNKNOWN'],
    ['a wrong shape', '', { inputs: [{ ...body().inputs[0], shape: [1, 3], data: [1, 2, 3] }] }, 400, 'TENSOR_INVALID'],
    [
      'a datatype that is not served',
      '',
      { inputs: [{ ...body().inputs[0], datatype: 'FP16' }] },
      400,
      'UNSUPPORTED_DATATYPE',
    ],
  ])('refuses %s with the error of the protocol', async (_, suffix, json, status, code) => {
    const { model } = await served(0);
    const path = suffix === 'nope' ? suffix : `${model}${suffix}`;
    const answer = await api.call('POST', `/v2/models/${path}/infer`, { role: 'predictor', json });
    expect(answer.status).toBe(status);
    const problem = problemOf(answer);
    expect(problem.code).toBe(code);
    expect(problem.error).toBe(problem.detail);
  });

  it('counts what it answered under the names that Triton uses', async () => {
    const { model, version } = await served(0);
    await infer(model);
    await api.call('POST', `/v2/models/${model}/infer`, {
      role: 'predictor',
      json: { inputs: [{ ...body().inputs[0], name: 'z' }] },
    });
    const { body: text } = await api.call('GET', '/metrics', { role: 'viewer' });
    const labels = `model="${model}",version="${version}",service="api"`;
    expect(text).toContain(`nv_inference_request_success{${labels}} 1`);
    expect(text).toContain(`nv_inference_count{${labels}} 1`);
    expect(text).toContain(`nv_inference_request_failure{model="${model}",code="TENSOR_INVALID",service="api"} 1`);
    expect(text).toContain(
      `saip_serving_alias_ready{model="${model}",alias="champion",version="${version}",service="api"} 1`,
    );
    expect(text).toMatch(/http_server_request_duration_seconds_count\{.*http_route="\/v2\/models\/\{model\}\/infer"/);
  });
});

describe('a change of an alias', () => {
  it('fails none of 10,000 requests under load, and answers each with one version or the other', async () => {
    const { model, version } = await served(100);
    const next = await registry.register(model, linearModel({ bias: 200 }));
    const headers = { authorization: `Bearer ${await api.token('predictor')}`, 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify(body()) };
    /** Status, version and score of the answers, and how many there are of each. */
    const seen = new Map<string, number>();
    let count = 0;
    let running = true;
    const clients = Array.from({ length: 16 }, async () => {
      while (running) {
        const answer = await fetch(`${api.url}/v2/models/${model}/infer`, request);
        const text = await answer.text();
        const [, by = '', value = ''] = /"model_version":"(\d+)".*?"data":\[([^,]+),/.exec(text) ?? [];
        const outcome = `${String(answer.status)} ${by}:${value}`;
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
        count += 1;
      }
    });
    try {
      for (let swap = 0; swap < 10; swap += 1) {
        const target = swap % 2 === 0 ? next.version : version;
        await registry.alias(model, 'champion', target);
        await untilServed(model, target);
        await until('a tenth of the requests', () => count > 1_000 * (swap + 1));
      }
    } finally {
      running = false;
    }
    await Promise.all(clients);
    expect(count).toBeGreaterThan(10_000);
    expect([...seen.keys()].sort()).toEqual([`200 ${version}:100`, `200 ${next.version}:200`].sort());
    // Seconds, but not on a machine that does ten other things.
  }, 300_000);

  it('is followed by each alias on its own', async () => {
    const { model, version } = await served(1);
    const next = await registry.register(model, linearModel({ bias: 7 }));
    await registry.alias(model, 'challenger', next.version);
    await untilServed(`${model}@challenger`, next.version);
    expect([score(await infer(model)), score(await infer(`${model}@challenger`))]).toEqual([1, 7]);
    await registry.alias(model, 'challenger', undefined);
    await until('the alias is gone', async () => (await ready(`${model}@challenger`)).status === 404);
    expect((await ready(model)).body).toEqual({ name: model, ready: true, version });
  });

  it('has a history that tells what was live at any time', async () => {
    const { model, version } = await served(1);
    const next = await registry.register(model, linearModel({ bias: 2 }));
    const between = new Date().toISOString();
    await registry.alias(model, 'champion', next.version);
    const get = async (path: string) => (await api.call('GET', `/v1/models/${model}${path}`, { role: 'viewer' })).body;
    const history = AliasHistory.parse(await get('/history'));
    expect(history.events.map((event) => event.version)).toEqual([next.version, version]);
    const then = AliasHistory.parse(await get(`/history?at=${between}`));
    expect(then).toMatchObject({ at: between, live: [{ alias: 'champion', version }], events: [{ version }] });
    expect(
      ModelVersionList.parse(await get('/versions')).versions.map((entry) => [entry.version, entry.aliases]),
    ).toEqual([
      [next.version, ['champion']],
      [version, []],
    ]);
    const first = ModelVersionList.parse(await get('/versions?limit=1'));
    const second = ModelVersionList.parse(await get(`/versions?limit=1&pageToken=${first.nextPageToken}`));
    expect(second).toMatchObject({ versions: [{ version }] });
    expect(second.nextPageToken).toBeUndefined();
    expect(ModelDetail.parse(await get(''))).toMatchObject({ versions: 2, latestVersion: next.version });
  });
});

describe('a version that must not be served', () => {
  /** Registers a version, spoils it, and gives it the alias that a good one has. */
  async function spoiled(
    code: string,
    spoil: (version: Awaited<ReturnType<TestRegistry['register']>>) => Promise<void>,
  ) {
    const { model, version: good } = await served(1);
    await registry.alias(model, 'stable', good);
    await untilServed(`${model}@stable`, good);
    const bad = await registry.register(model, linearModel({ bias: Math.random() }));
    await spoil(bad);
    await registry.alias(model, 'champion', bad.version);
    await untilRefused(model, code);
    return { model, good, bad };
  }

  async function change(ref: { uri: string; sha256: string; bytes: number; mediaType: string }): Promise<void> {
    const path = await registry.store.path(ref);
    const bytes = await readFile(path);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await chmod(path, 0o600);
    await writeFile(path, bytes);
  }

  it.each([
    ['its graph', 'ARTIFACT_DIGEST_MISMATCH', ['model.onnx']],
    ['a file beside it', 'ARTIFACT_DIGEST_MISMATCH', ['model-config.json']],
  ] as const)('because a byte of %s was changed', async (_, code, [path]) => {
    const { model, good, bad } = await spoiled(code, async ({ files }) => {
      const ref = files[path];
      if (ref) await change(ref);
    });
    const answer = await infer(model);
    expect(problemOf(answer)).toMatchObject({ status: 409, code });
    expect(ModelReady.parse((await ready(model)).body)).toMatchObject({ ready: false, code });
    expect((await infer(`${model}@stable`)).status).toBe(200);
    await until('the refusal is reported', async () => {
      const { body: aliases } = await api.call('GET', `/v1/models/${model}/aliases`, { role: 'viewer' });
      const { serving = [] } = AliasList.parse(aliases).aliases.find(({ alias }) => alias === 'champion') ?? {};
      return serving.some(
        (report) => report.state === 'refused' && report.version === bad.version && report.code === code,
      );
    });
    await registry.alias(model, 'champion', good);
    await untilServed(model, good);
  });

  it.each([
    ['is signed for another model', 'SIGNATURE_INVALID'],
    ['has no signature', 'SIGNATURE_MISSING'],
  ])('because it %s', async (what, code) => {
    const model = unique('unsigned');
    const donor = await registry.register(unique('donor'), linearModel({ bias: 3 }));
    const empty = await registry.store.put(Buffer.alloc(0), { mediaType: 'application/json' });
    const { version } = await registry.registry.register({
      ...donor,
      model,
      signature: what === 'has no signature' ? empty : donor.signature,
      workflowId: unique('test'),
    });
    await registry.alias(model, 'champion', version);
    await untilRefused(model, code);
    expect(problemOf(await infer(model))).toMatchObject({ status: 409, code });
  });
});

describe('another process of the API', () => {
  it('gets the files from MLflow that its machine does not have', async () => {
    const model = unique('mirrored');
    const { version, graph } = await registry.mirrored(model, linearModel({ bias: 9 }));
    await registry.alias(model, 'champion', version);
    const folder = await mkdtemp(join(tmpdir(), 'saip-artifacts-'));
    const other = await startApi({ SAIP_ARTIFACTS: folder });
    try {
      await untilServed(model, version, other);
      expect(score(await infer(model, other))).toBe(9);
      expect(await new ArtifactStore({ root: folder }).exists(graph)).toBe(true);
    } finally {
      await other.stop();
      await rm(folder, { recursive: true });
    }
  });

  it('serves from the files of this machine, without MLflow', async () => {
    const { model, version } = await served(5);
    const other = await startApi({ SAIP_MLFLOW_URL: 'http://127.0.0.1:9' });
    try {
      expect((await ready(model, other)).body).toEqual({ name: model, ready: true, version });
      expect(score(await infer(model, other))).toBe(5);
    } finally {
      await other.stop();
    }
  });
});

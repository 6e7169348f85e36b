/** @jest-environment ./test/support/ort-environment.js */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { AliasList } from '../../contracts/api.ts';
import { RepositoryIndex, RepositorySwitched } from '../../contracts/repository.ts';
import { StatisticsResponse } from '../../contracts/statistics.ts';
import { problemOf, startApi, type Answer, type TestApi } from './support/harness.ts';
import { linearModel } from './support/onnx-models.ts';
import { openRegistry, type TestRegistry } from './support/registry.ts';
import { until } from './support/until.ts';

let api: TestApi;
let other: TestApi;
let registry: TestRegistry;

beforeAll(async () => {
  registry = await openRegistry();
  [api, other] = await Promise.all([startApi(), startApi()]);
});

afterAll(async () => {
  await Promise.all([api.stop(), other.stop()]);
  await registry.close();
});

const body = { inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }] };
const infer = (model: string, on: TestApi = api): Promise<Answer> =>
  on.call('POST', `/v2/models/${model}/infer`, { role: 'predictor', json: body });
const switchTo = (model: string, what: 'load' | 'unload', on: TestApi = api): Promise<Answer> =>
  on.call('POST', `/v2/repository/models/${model}/${what}`, { role: 'admin' });
const statusOn = (model: string, on: TestApi, status: number) =>
  until(`${status} from a process`, async () => (await infer(model, on)).status === status);

async function served(): Promise<{ model: string; version: string; graph: string }> {
  const model = `switched-${randomUUID().slice(0, 8)}`;
  const { version, files } = await registry.register(model, linearModel({ bias: Math.random() }));
  await registry.alias(model, 'champion', version);
  await Promise.all([statusOn(model, api, 200), statusOn(model, other, 200)]);
  const ref = files['model.onnx'];
  if (!ref) throw new Error('the version has no graph');
  return { model, version, graph: await registry.store.path(ref) };
}

describe('a model that an administrator unloads', () => {
  it('answers in no process, keeps its aliases, and comes back when it is loaded', async () => {
    const { model, version } = await served();
    const unloaded = await switchTo(model, 'unload');
    expect(RepositorySwitched.parse(unloaded.body)).toEqual({ name: model, loaded: false, versions: [] });
    expect(problemOf(await infer(model))).toMatchObject({ status: 409, code: 'MODEL_UNLOADED' });
    await statusOn(model, other, 409);
    const index = await api.call('POST', '/v2/repository/index', { role: 'viewer' });
    expect(RepositoryIndex.parse(index.body)).toContainEqual({
      ...{ name: model, version, state: 'UNAVAILABLE' },
      reason: 'MODEL_UNLOADED: An administrator took the model out of service.',
    });
    const ready = await api.call('POST', '/v2/repository/index', { role: 'viewer', json: { ready: true } });
    expect(RepositoryIndex.parse(ready.body).map(({ name }) => name)).not.toContain(model);
    const { body: aliases } = await api.call('GET', `/v1/models/${model}/aliases`, { role: 'viewer' });
    expect(AliasList.parse(aliases).aliases).toMatchObject([{ alias: 'champion', version }]);
    // A version that gets the alias meanwhile waits as well.
    const next = await registry.register(model, linearModel({ bias: 9 }));
    await registry.alias(model, 'champion', next.version);
    const loaded = await switchTo(model, 'load', other);
    expect(RepositorySwitched.parse(loaded.body)).toEqual({ name: model, loaded: true, versions: [next.version] });
    expect((await infer(model, other)).status).toBe(200);
    await statusOn(model, api, 200);
  });

  it('stays out of service in a process that starts later', async () => {
    const { model } = await served();
    await switchTo(model, 'unload');
    const late = await startApi();
    try {
      expect(problemOf(await infer(model, late))).toMatchObject({ code: 'MODEL_UNLOADED' });
    } finally {
      await late.stop();
    }
  });

  it('is verified anew when it is loaded, also where it is loaded already', async () => {
    const { model, graph } = await served();
    expect((await switchTo(model, 'load')).status).toBe(200);
    const bytes = await readFile(graph);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await chmod(graph, 0o600);
    await writeFile(graph, bytes);
    expect(problemOf(await switchTo(model, 'load'))).toMatchObject({ status: 409, code: 'ARTIFACT_DIGEST_MISMATCH' });
    expect(problemOf(await infer(model))).toMatchObject({ code: 'ARTIFACT_DIGEST_MISMATCH' });
  });

  it('is known, and the word of an administrator is needed and kept', async () => {
    expect(problemOf(await switchTo('nope', 'unload'))).toMatchObject({ status: 404, code: 'MODEL_UNKNOWN' });
    const { model } = await served();
    const path = `/v2/repository/models/${model}/unload`;
    expect(problemOf(await api.call('POST', path, { role: 'trainer' }))).toMatchObject({ code: 'FORBIDDEN' });
    await switchTo(model, 'load');
    const { body: entries } = await api.call('GET', '/v1/audit/entries?action=model:serve&limit=20', {
      role: 'auditor',
    });
    const kept = JSON.stringify(entries);
    expect(kept).toContain(`POST ${path}`);
    expect(kept).toContain(`POST /v2/repository/models/${model}/load`);
  });
});

describe('statistics', () => {
  it('count answers and refusals of each version, in this process', async () => {
    const { model, version } = await served();
    const of = async (path: string) =>
      StatisticsResponse.parse((await api.call('GET', path, { role: 'viewer' })).body).model_stats;
    const [before] = await of(`/v2/models/${model}/stats`);
    await infer(model);
    await api.call('POST', `/v2/models/${model}/infer`, {
      role: 'predictor',
      json: { inputs: [{ ...body.inputs[0], name: 'z' }] },
    });
    const [after] = await of(`/v2/models/${model}/versions/${version}/stats`);
    if (!before || !after) throw new Error('no statistics');
    expect(after).toMatchObject({ name: model, version, inference_count: before.inference_count + 1 });
    expect(after.inference_stats.fail.count).toBe(1);
    expect(after.inference_stats.compute_infer.ns).toBeGreaterThan(before.inference_stats.compute_infer.ns);
    expect(Math.abs(after.last_inference - Date.now())).toBeLessThan(60_000);
    expect(await of('/v2/models/stats')).toContainEqual(after);
    expect(problemOf(await api.call('GET', '/v2/models/nope/stats', { role: 'viewer' })).code).toBe('MODEL_UNKNOWN');
  });
});

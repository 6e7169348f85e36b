import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { MlflowClient, mirrorAlias, MLFLOW_TAGS, type MlflowRun } from '../../../lib/clients/index.ts';
import { stackEnv } from '../../support/stack.ts';

let client: MlflowClient;
let url: string;
let run: MlflowRun;

const startTime = Date.UTC(2026, 0, 1);
const unique = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`;

async function newRun(key: string): Promise<MlflowRun> {
  const experimentId = await client.runs.experiment(unique('client test/'));
  return client.runs.ensure({
    experimentId,
    name: key,
    user: 'ada',
    startTime,
    identity: { [MLFLOW_TAGS.runKey]: key },
  });
}

/** What MLflow's REST interface says, past the client. */
async function ask(path: string, query: Record<string, string>): Promise<unknown> {
  const response = await fetch(`${url}/api/2.0/mlflow/${path}?${new URLSearchParams(query).toString()}`);
  return response.json();
}

beforeAll(async () => {
  url = stackEnv('worker-cpu')['SAIP_MLFLOW_URL'] ?? '';
  client = new MlflowClient({ url });
  run = await newRun(unique('run'));
});

describe('runs', () => {
  it('make an experiment once, whoever asks for it at the same time', async () => {
    const name = unique('shared');
    const ids = await Promise.all([1, 2, 3, 4].map(() => client.runs.experiment(name)));
    expect(new Set(ids).size).toBe(1);
  });

  it.each(["it's", 'say "when"', 'train.mnist_cnn:2026-01-01'])('are found by the key %s', async (key) => {
    const made = await newRun(key);
    expect(await client.runs.find(made.experimentId, { [MLFLOW_TAGS.runKey]: key })).toMatchObject([
      { runId: made.runId, startTime, status: 'RUNNING', tags: { [MLFLOW_TAGS.runKey]: key, 'mlflow.user': 'ada' } },
    ]);
  });

  it('keep the first of several that attempts made at the same time', async () => {
    const experimentId = await client.runs.experiment(unique('raced'));
    const identity = { [MLFLOW_TAGS.runKey]: 'same' };
    const ensure = (): Promise<MlflowRun> =>
      client.runs.ensure({ experimentId, name: 'raced', user: 'ada', startTime, identity });
    await Promise.all([ensure(), ensure(), ensure()]);
    const { runId } = await ensure();
    expect((await client.runs.find(experimentId, identity)).map((found) => found.runId)).toEqual([runId]);
  });

  it('take more parameters, tags and points than fit into one request, twice', async () => {
    const params = Object.fromEntries(Array.from({ length: 230 }, (_, index) => [`parameter.${index}`, `${index}`]));
    const points = Array.from({ length: 2300 }, (_, step) => ({
      key: 'loss',
      value: 1 / (step + 1),
      step,
      timestamp: startTime + step,
    }));
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await client.runs.logParams(run.runId, { ...params, long: 'x'.repeat(9000) });
      await client.runs.setTags(run.runId, { long: 'y'.repeat(9000) });
      await client.runs.logMetrics(run.runId, points);
    }
    const history = (await ask('metrics/get-history', {
      run_id: run.runId,
      metric_key: 'loss',
      max_results: '25000',
    })) as {
      metrics: unknown[];
    };
    expect(history.metrics).toHaveLength(2300);
    expect(await ask('runs/get', { run_id: run.runId })).toMatchObject({
      run: { data: { params: expect.arrayContaining([{ key: 'parameter.229', value: '229' }]) } },
    });
    await expect(client.runs.logParams(run.runId, { 'parameter.1': 'another' })).rejects.toMatchObject({
      code: 'MLFLOW_REJECTED',
      errorCode: 'INVALID_PARAMETER_VALUE',
    });
  });

  it('log an input once', async () => {
    const input = {
      name: 'digits/train',
      digest: 'a'.repeat(64),
      sourceType: 'croissant',
      source: {},
      schema: {},
      profile: {},
      context: 'training',
    };
    for (let attempt = 0; attempt < 2; attempt += 1) await client.runs.logInputs(run.runId, [input]);
    const { run: stored } = (await ask('runs/get', { run_id: run.runId })) as {
      run: { inputs: { dataset_inputs: unknown[] } };
    };
    expect(stored.inputs.dataset_inputs).toMatchObject([{ dataset: { name: 'digits/train', digest: 'a'.repeat(36) } }]);
  });

  it('end once', async () => {
    const { runId } = await newRun(unique('ended'));
    await client.runs.finish(runId, 'FINISHED', startTime + 5);
    await client.runs.finish(runId, 'FINISHED', startTime + 9);
    expect(await client.runs.get(runId)).toMatchObject({ status: 'FINISHED', endTime: startTime + 5 });
  });
});

describe('artifacts', () => {
  it('come back as they were sent, under any name', async () => {
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));
    for (const path of ['plain.bin', 'in/a folder/ümläut.bin']) {
      await client.artifacts.upload(run.artifactUri, path, new Blob([bytes]));
      expect((await client.artifacts.download(run.artifactUri, path))?.equals(bytes)).toBe(true);
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of await client.artifacts.stream(run.artifactUri, 'plain.bin')) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    expect(await client.artifacts.download(run.artifactUri, 'none')).toBeUndefined();
  });
});

describe('registry', () => {
  it('mirrors aliases by the number of the platform', async () => {
    const model = unique('mirrored');
    const logged = await client.loggedModels.ensure({
      experimentId: run.experimentId,
      name: model,
      type: 'onnx',
      sourceRunId: run.runId,
      identity: { [MLFLOW_TAGS.runKey]: model },
    });
    await client.loggedModels.ready(logged.modelId);
    for (let attempt = 0; attempt < 2; attempt += 1) await client.runs.logOutput(run.runId, logged.modelId, 1);
    expect((await client.runs.get(run.runId)).models).toEqual([logged.modelId]);
    expect(await mirrorAlias(client, { model, alias: 'champion', version: undefined })).toBe(true);
    await client.registeredModels.ensureModel(model, 'test');
    for (const version of ['7', '8', '8']) {
      await client.registeredModels.ensureVersion({
        name: model,
        source: `models:/${logged.modelId}`,
        runId: run.runId,
        modelId: logged.modelId,
        description: '',
        identity: { [MLFLOW_TAGS.version]: version },
      });
    }
    const champion = async (version: string | undefined): Promise<Record<string, string>> => {
      await mirrorAlias(client, { model, alias: 'champion', version });
      return client.registeredModels.aliases(model);
    };
    expect(await champion('7')).toEqual({ champion: '1' });
    expect(await champion('8')).toEqual({ champion: '2' });
    expect(await mirrorAlias(client, { model, alias: 'champion', version: '9' })).toBe(false);
    expect(await champion(undefined)).toEqual({});
    expect(await champion(undefined)).toEqual({});
  });
});

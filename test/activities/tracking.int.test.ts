import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRegistryActivities } from '../../activities/registry/index.ts';
import { createTrackingActivities } from '../../activities/tracking/index.ts';
import type { CpuActivities, LoggedRun } from '../../contracts/activities.ts';
import { ArtifactStore } from '../../lib/artifacts/index.ts';
import {
  AliasLog,
  LineageLog,
  MLFLOW_TAGS,
  MlflowClient,
  ModelRegistry,
  mirrorAlias,
  StepStore,
  withLock,
} from '../../lib/clients/index.ts';
import { createPrivateDatabase, type PrivateDatabase } from '../support/private-database.ts';
import { stackEnv } from '../support/stack.ts';
import { failingFetch, watchingFetch } from './support/failing-fetch.ts';
import { inActivity } from './support/in-activity.ts';
import { runRecord } from './support/run-record.ts';

type RunRecord = Parameters<CpuActivities['logRun']>[0];
type Activities = ReturnType<typeof createTrackingActivities> & ReturnType<typeof createRegistryActivities>;

const root = mkdtempSync(join(tmpdir(), 'saip-tracking-'));
const store = new ArtifactStore({ root });
let url: string;
let mlflow: MlflowClient;
let database: PrivateDatabase;

beforeAll(async () => {
  url = stackEnv('worker-cpu')['SAIP_MLFLOW_URL'] ?? '';
  mlflow = new MlflowClient({ url });
  database = await createPrivateDatabase();
});
afterAll(async () => {
  await database.drop();
  rmSync(root, { recursive: true });
});

/** The activities as a worker composes them, with this client. */
function activities(client: MlflowClient): Activities {
  const urls = { mlflow: url, temporalUi: 'http://temporal.example', namespace: 'default' };
  const steps = new StepStore(database.worker);
  const lock = <T>(name: string, work: () => Promise<T>): Promise<T> => withLock(database.worker, name, work);
  return {
    ...createTrackingActivities({ mlflow: client, store, urls, lock, hold: (...held) => steps.hold(...held) }),
    ...createRegistryActivities({
      registry: new ModelRegistry(database.worker),
      aliases: new AliasLog(database.worker),
      lineage: new LineageLog(database.worker),
      mlflow: client,
      store,
      lock,
    }),
  };
}

/** From the run to the registered version. */
async function track(record: RunRecord, client: MlflowClient): Promise<LoggedRun> {
  const { logRun, registerVersion, mirrorVersion } = activities(client);
  const { run, registerAs, evaluated, exported } = record;
  const logged = await inActivity(logRun, record);
  const signed = { digest: exported.onnx.sha256, files: { 'model.onnx': exported.onnx }, signature: record.card };
  const registered = await registerVersion({ run, registerAs, mlflow: logged, signed, evaluated });
  await inActivity(mirrorVersion, { run, mlflow: logged, registered });
  return logged;
}

/** How many of each there are in MLflow and in the registry. */
async function counts(record: RunRecord): Promise<Record<string, number>> {
  const identity = { [MLFLOW_TAGS.runKey]: record.run.key };
  const experimentId = await mlflow.runs.experiment(`${record.dataset}/${record.registerAs}`);
  return {
    runs: (await mlflow.runs.find(experimentId, identity)).length,
    models: (await mlflow.loggedModels.find(experimentId, identity)).length,
    mirrored: (await mlflow.registeredModels.find(record.registerAs, identity)).length,
    versions: (await new ModelRegistry(database.worker).versions(record.registerAs)).length,
  };
}

/** What MLflow's REST interface says, past the client. */
async function ask<T>(path: string): Promise<T> {
  return (await (await fetch(`${url}/api/2.0/mlflow/${path}`)).json()) as T;
}

interface StoredRun {
  readonly run: {
    readonly data: {
      readonly params: { key: string; value: string }[];
      readonly tags: { key: string; value: string }[];
      readonly metrics: { key: string; value: number }[];
    };
    readonly inputs: { readonly dataset_inputs: { dataset: { name: string; digest: string; source: string } }[] };
  };
}

const ONE_OF_EACH = { runs: 1, models: 1, mirrored: 1, versions: 1 };

describe('a tracked training', () => {
  it('is in MLflow whole', async () => {
    const record = await runRecord(store);
    const logged = await track(record, mlflow);
    const { run } = await ask<StoredRun>(`runs/get?run_id=${logged.runId}`);
    expect(logged.url).toBe(`${url}/#/experiments/${logged.experimentId}/runs/${logged.runId}`);
    expect(Object.fromEntries(run.data.params.map(({ key, value }) => [key, value]))).toMatchObject({
      'model.layers.00': 'conv2d filters=2 kernelSize=3 strides=1 padding=valid activation=relu',
      'training.optimizer.learningRate.initial': '0.001',
      'samples.train': '90',
      seed: '7',
    });
    expect(Object.fromEntries(run.data.tags.map(({ key, value }) => [key, value]))).toMatchObject({
      'mlflow.user': 'user:ada',
      'mlflow.source.git.commit': 'a'.repeat(40),
      'saip.device': 'cpu',
      'saip.weights.sha256': record.trained.weights.sha256,
      'saip.run_key': record.run.key,
      'mlflow.note.content': expect.stringContaining(
        `http://temporal.example/namespaces/default/workflows/${record.run.key}/${record.run.runId}`,
      ),
    });
    expect(Object.fromEntries(run.data.metrics.map(({ key, value }) => [key, value]))).toMatchObject({
      'train/loss': 0.1,
      'validation/accuracy': 0.9,
      'test/accuracy': 0.95,
      'test/accuracy_low': expect.closeTo(0.94, 9),
    });
    expect(run.inputs.dataset_inputs.map(({ dataset }) => dataset.name).toSorted()).toEqual([
      'digits/test',
      'digits/train',
      'digits/validation',
    ]);
  });

  it('has its files, and a model with its signature', async () => {
    const record = await runRecord(store);
    const logged = await track(record, mlflow);
    const { artifactUri } = await mlflow.runs.get(logged.runId);
    const history = await mlflow.artifacts.download(artifactUri, 'training/history.ndjson');
    expect(history?.equals(await store.read(record.trained.history))).toBe(true);
    expect((await mlflow.artifacts.download(artifactUri, 'evaluation/confusion-matrix.svg'))?.toString()).toBe(
      '<svg/>\n',
    );
    const digests = JSON.parse(String(await mlflow.artifacts.download(artifactUri, 'digests.json'))) as object;
    expect(digests).toMatchObject({ 'data/card.json': record.card.sha256 });

    const [model] = await mlflow.loggedModels.find(logged.experimentId, { [MLFLOW_TAGS.runKey]: record.run.key });
    expect(model?.status).toBe('LOGGED_MODEL_READY');
    const graph = await mlflow.artifacts.download(model?.artifactUri ?? '', 'model.onnx');
    expect(graph?.equals(await store.read(record.exported.onnx))).toBe(true);
    const mlmodel = String(await mlflow.artifacts.download(model?.artifactUri ?? '', 'MLmodel'));
    expect(mlmodel).toContain('"tensor-spec":{"dtype":"float32","shape":[-1,8,8,1]}');
    expect(mlmodel).toContain('"name":"probabilities"');
    const [version] = await mlflow.registeredModels.find(record.registerAs, { [MLFLOW_TAGS.version]: '1' });
    expect(version).toMatchObject({ source: `models:/${model?.modelId}`, runId: logged.runId });
  });

  it('ends with an outcome', async () => {
    const record = await runRecord(store);
    const logged = await track(record, mlflow);
    const { finishRun } = activities(mlflow);
    const end = { mlflow: logged, status: 'FAILED' as const, outcome: 'rejected', reasons: ['too bad', 'too slow'] };
    for (let attempt = 0; attempt < 2; attempt += 1) await inActivity(finishRun, end);
    expect(await mlflow.runs.get(logged.runId)).toMatchObject({
      status: 'FAILED',
      tags: { [MLFLOW_TAGS.outcome]: 'rejected', [MLFLOW_TAGS.reasons]: 'too bad\ntoo slow' },
    });
  });
});

describe('what a run began and did not finish', () => {
  it('is ended in MLflow', async () => {
    const record = await runRecord(store);
    const { run, dataset, registerAs } = record;
    const dying = new MlflowClient({ url, retries: 0, fetch: failingFetch(6) });
    await expect(track(record, dying)).rejects.toMatchObject({ code: 'MLFLOW_UNAVAILABLE' });
    const { finishUnloggedRun } = activities(mlflow);
    const end = { run, dataset, registerAs, status: 'KILLED' as const, outcome: 'cancelled', reasons: ['no use'] };
    for (let attempt = 0; attempt < 2; attempt += 1) await inActivity(finishUnloggedRun, end);
    const experimentId = await mlflow.runs.experiment(`${dataset}/${registerAs}`);
    const runs = await mlflow.runs.find(experimentId, { [MLFLOW_TAGS.runKey]: run.key });
    expect(runs.map(({ status, tags }) => [status, tags[MLFLOW_TAGS.reasons]])).toEqual([['KILLED', 'no use']]);
  });

  it('is withdrawn where it was registered', async () => {
    const record = await runRecord(store);
    await track(record, mlflow);
    const { withdrawRegistration } = activities(mlflow);
    const lost = { run: record.run, model: record.registerAs, reason: 'lost' };
    for (let attempt = 0; attempt < 2; attempt += 1) await inActivity(withdrawRegistration, lost);
    const registry = new ModelRegistry(database.worker);
    expect((await registry.get(record.registerAs, '1')).withdrawn?.reason).toBe('lost');
    const [version] = await mlflow.registeredModels.find(record.registerAs, { [MLFLOW_TAGS.version]: '1' });
    expect(version?.tags[MLFLOW_TAGS.withdrawn]).toBe('lost');
  });
});

describe('an attempt that dies', () => {
  /** Dies at the `number`-th request; then another attempt does all of it. */
  async function dieAndRepeat(number: number): Promise<void> {
    const record = await runRecord(store);
    const dying = new MlflowClient({ url, retries: 0, fetch: failingFetch(number) });
    await expect(track(record, dying)).rejects.toMatchObject({ code: 'MLFLOW_UNAVAILABLE' });
    const { runId } = await track(record, mlflow);
    expect({ number, ...(await counts(record)) }).toEqual({ number, ...ONE_OF_EACH });
    const history = await ask<{ metrics: unknown[] }>(`metrics/get-history?run_id=${runId}&metric_key=train%2Floss`);
    expect(history.metrics).toHaveLength(10);
  }

  it('after any of its writes leaves no duplicate', async () => {
    const { fetch: watched, writes } = watchingFetch();
    await track(await runRecord(store), new MlflowClient({ url, fetch: watched }));
    expect(writes.length).toBeGreaterThan(18);
    for (let start = 0; start < writes.length; start += 4) {
      await Promise.all(writes.slice(start, start + 4).map(dieAndRepeat));
    }
  }, 240_000);

  it('slowly, beside its successor, leaves no duplicate', async () => {
    const record = await runRecord(store);
    const runs = await Promise.all([1, 2, 3].map(() => track(record, mlflow)));
    expect(new Set(runs.map(({ runId }) => runId)).size).toBe(1);
    expect(await counts(record)).toEqual(ONE_OF_EACH);
  });
});

describe('a withdrawn version', () => {
  it('loses its aliases and its mirror says why', async () => {
    const record = await runRecord(store);
    await track(record, mlflow);
    const model = record.registerAs;
    const aliases = new AliasLog(database.worker);
    const change = { model, alias: 'challenger', version: '1', workflowId: record.run.key, actor: 'a', reason: 'r' };
    await aliases.append({ ...change, operationId: record.run.key });
    await mirrorAlias(mlflow, { model, alias: 'challenger', version: '1' });
    const { withdrawVersion } = activities(mlflow);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await inActivity(withdrawVersion, { model, version: '1', reason: 'not served' });
    }
    expect(await aliases.live(model)).toEqual([]);
    expect(await mlflow.registeredModels.aliases(model)).toEqual({});
    const [version] = await mlflow.registeredModels.find(model, { [MLFLOW_TAGS.version]: '1' });
    expect(version?.tags[MLFLOW_TAGS.withdrawn]).toBe('not served');
  });
});

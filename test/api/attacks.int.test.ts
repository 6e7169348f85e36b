import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Context } from '@temporalio/activity';
import { AttackList, ScheduleView, WorkflowDetail, WorkflowStarted } from '../../contracts/api.ts';
import { World } from '../workflows/support/world.ts';
import { createNamespace } from './support/namespace.ts';
import { problemOf, startApi, type TestApi } from './support/harness.ts';
import { openRegistry, type TestRegistry } from './support/registry.ts';
import { until } from './support/until.ts';
import { startWorkers, type TestWorkers } from './support/workers.ts';

const MODEL = 'attacked-api';
const ATTACK = '/v1/workflows/attack-retest';

let api: TestApi;
let workers: TestWorkers;
let registry: TestRegistry;
beforeAll(async () => {
  const namespace = await createNamespace();
  api = await startApi({ TEMPORAL_NAMESPACE: namespace });
  workers = await startWorkers(namespace, new World().activities());
  registry = await openRegistry();
  await registry.register(MODEL, Buffer.from('not loaded here'));
});
afterAll(async () => {
  await registry.close();
  await api.stop();
  await workers.stop();
});
afterEach(() => workers.use(new World().activities()));

/** One shard. */
const measureOnly = { model: MODEL, harden: { enabled: false }, samples: 400 };

async function detail(id: string): Promise<WorkflowDetail> {
  const { body } = await api.call('GET', `/v1/workflows/${id}`, { role: 'viewer' });
  return WorkflowDetail.parse(body);
}

async function start(json: object = measureOnly): Promise<string> {
  const answer = await api.call('POST', ATTACK, { role: 'redteam', json });
  expect(answer.status).toBe(202);
  const { workflowId } = WorkflowStarted.parse(answer.body);
  expect(answer.headers.get('location')).toBe(`/v1/workflows/${workflowId}`);
  return workflowId;
}

const untilState = (id: string, reached: (workflow: WorkflowDetail) => boolean): Promise<WorkflowDetail> =>
  until(`the state of ${id}`, async () => {
    const workflow = await detail(id);
    return reached(workflow) && workflow;
  });

describe('an attack', () => {
  it('is started by the red team, runs to its end, and says what remained', async () => {
    const done = await untilState(await start(), ({ status }) => status !== 'running');
    expect(done).toMatchObject({
      type: 'attackRetest',
      status: 'completed',
      model: MODEL,
      requestedBy: 'local-redteam',
      progress: { outcome: 'rejected' },
      result: { outcome: 'rejected', model: MODEL, attacked: { measured: { samples: 400 } } },
    });
  });

  it('shows the shards that run', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const plain = new World().activities();
    workers.use(
      new World().activities({
        attackShard: async (argument) => {
          const { shard, shards } = argument;
          Context.current().heartbeat({
            ...{ kind: 'attack', shard, shards, attack: 'pgd-20 at 0.2', done: 0.5, durable: 250, samples: 500 },
            ...{ throughput: 2000, eta: 7, device: 'cpu' },
          });
          await promise;
          return plain.attackShard(argument);
        },
      }),
    );
    const id = await start();
    const { progress } = await untilState(id, (workflow) => workflow.progress?.attacks !== undefined);
    const before = progress?.stages.slice(0, 2).reduce((sum, { share = 0 }) => sum + share, 0) ?? 0;
    expect(progress).toMatchObject({ stage: 'attack', eta: 7, attacks: [{ attack: 'pgd-20 at 0.2', done: 0.5 }] });
    expect(progress?.percent).toBeGreaterThan(before);
    resolve();
    await untilState(id, ({ status }) => status !== 'running');
  });

  it('is refused of what does not exist, and to who may not', async () => {
    const refused = async (json: object, role: 'redteam' | 'trainer' | 'viewer' = 'redteam') =>
      problemOf(await api.call('POST', ATTACK, { role, json }));
    expect(await refused({ model: 'nope' })).toMatchObject({ status: 404, code: 'MODEL_UNKNOWN' });
    expect(await refused({ model: MODEL, version: '77' })).toMatchObject({
      status: 404,
      code: 'MODEL_VERSION_UNKNOWN',
    });
    expect(await refused(measureOnly, 'trainer')).toMatchObject({ status: 403 });
    expect(await refused(measureOnly, 'viewer')).toMatchObject({ status: 403 });
  });

  it('has a recipe for hardening that is checked before it starts', async () => {
    const json = { model: MODEL, harden: { training: { optimizer: { type: 'sgd' } } } };
    const answer = await api.call('POST', ATTACK, { role: 'redteam', json });
    expect(problemOf(answer)).toMatchObject({ code: 'REQUEST_INVALID' });
  });
});

describe('GET /v1/attacks', () => {
  it('lists results to every reader', async () => {
    const { body } = await api.call('GET', `/v1/attacks?model=${MODEL}`, { role: 'viewer' });
    expect(AttackList.parse(body).attacks).toEqual([]);
    expect((await api.call('GET', '/v1/attacks', {})).status).toBe(401);
    expect(problemOf(await api.call('GET', '/v1/attacks?model=nope', { role: 'viewer' })).code).toBe('MODEL_UNKNOWN');
  });
});

describe('a schedule of attacks', () => {
  const create = (json: object, role: 'redteam' | 'trainer' = 'redteam') =>
    api.call('POST', '/v1/schedules', { role, json });

  it('is the red team’s, as that of trainings is the trainers’', async () => {
    const created = await create({ id: 'nightly-attack', attack: { model: MODEL } });
    expect(created.status).toBe(201);
    const view = ScheduleView.parse(created.body);
    expect(view).toMatchObject({ workflowType: 'attackRetest', model: MODEL, requestedBy: 'local-redteam' });
    expect(view.dataset).toBeUndefined();
    expect((await create({ id: 'no', attack: { model: MODEL } }, 'trainer')).status).toBe(403);
    expect((await create({ id: 'no', train: { model: 'mnist-softmax' } }, 'redteam')).status).toBe(403);
    const role = { role: 'trainer' as const };
    expect((await api.call('DELETE', '/v1/schedules/nightly-attack', role)).status).toBe(403);
  });

  it('starts an attack when it is triggered', async () => {
    await create({ id: 'attack-now', paused: true, attack: measureOnly });
    await api.call('POST', '/v1/schedules/attack-now/trigger', { role: 'redteam' });
    const { workflowId } = await until('the run is listed', async () => {
      const { body } = await api.call('GET', '/v1/schedules/attack-now', { role: 'viewer' });
      return ScheduleView.parse(body).recentRuns[0];
    });
    const done = await untilState(workflowId, ({ status }) => status !== 'running');
    expect(done).toMatchObject({ type: 'attackRetest', requestedBy: 'schedule:attack-now' });
  });

  it('of a model that is not registered is refused', async () => {
    const answer = await create({ id: 'bad', attack: { model: 'nope' } });
    expect(problemOf(answer)).toMatchObject({ status: 404, code: 'MODEL_UNKNOWN' });
  });
});

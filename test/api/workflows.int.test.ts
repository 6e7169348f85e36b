import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Context } from '@temporalio/activity';
import { randomUUID } from 'node:crypto';
import { WorkflowDetail, WorkflowEvent, WorkflowList, WorkflowStarted, WorkflowUpdated } from '../../contracts/api.ts';
import type { Role } from '../../contracts/roles.ts';
import { SaipError } from '../../contracts/errors.ts';
import { verifyApproval, TransitKeySet } from '../../lib/identity/index.ts';
import { stackBao } from '../support/stack-bao.ts';
import { World, SUBJECT } from '../workflows/support/world.ts';
import { openEvents } from './support/event-source.ts';
import { problemOf, startApi, type TestApi } from './support/harness.ts';
import { createNamespace } from './support/namespace.ts';
import { startWorkers, type TestWorkers } from './support/workers.ts';
import { until } from './support/until.ts';

let api: TestApi;
let workers: TestWorkers;

beforeAll(async () => {
  const namespace = await createNamespace();
  api = await startApi({ TEMPORAL_NAMESPACE: namespace });
  workers = await startWorkers(namespace, new World().activities());
});

afterAll(async () => {
  await api.stop();
  await workers.stop();
});

afterEach(() => {
  workers.use(new World().activities());
});

const TRAIN = '/v1/workflows/train-register-deploy';
const request = (changes: object = {}) => ({ model: 'mnist-softmax', registerAs: 'tiny', rollout: false, ...changes });

async function start(json: object = request(), role: Role = 'trainer', key?: string): Promise<WorkflowStarted> {
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
  const answer = await api.call('POST', TRAIN, { role, json, headers });
  expect(answer).toMatchObject({ status: 202 });
  return WorkflowStarted.parse(answer.body);
}

async function detail(id: string): Promise<WorkflowDetail> {
  const { body } = await api.call('GET', `/v1/workflows/${id}`, { role: 'viewer' });
  return WorkflowDetail.parse(body);
}

const untilState = (id: string, reached: (workflow: WorkflowDetail) => boolean): Promise<WorkflowDetail> =>
  until(`the state of ${id}`, async () => {
    const workflow = await detail(id);
    return reached(workflow) && workflow;
  });

const ended = (id: string) => untilState(id, ({ status }) => status !== 'running');
const events = async (id: string, headers: Record<string, string> = {}) =>
  openEvents(`${api.url}/v1/workflows/${id}/events`, {
    authorization: `Bearer ${await api.token('viewer')}`,
    ...headers,
  });

/** Activities of which the training waits until it is told to go on, and heartbeats meanwhile. */
function heldTraining(world: World): { activities: ReturnType<World['activities']>; release: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const plain = world.activities();
  return {
    release: resolve,
    activities: world.activities({
      trainModel: async (argument) => {
        const beat = { kind: 'training', epoch: 1, epochs: 2, step: 50, steps: 100, loss: 0.5, throughput: 1234 };
        Context.current().heartbeat({ ...beat, eta: 9, checkpointStep: 0, device: 'cpu' });
        await promise;
        return plain.trainModel(argument);
      },
    }),
  };
}

describe('starting', () => {
  it('answers 202 with the place of the workflow, which runs to its end', async () => {
    const answer = await api.call('POST', TRAIN, { role: 'trainer', json: request() });
    const { workflowId, links } = WorkflowStarted.parse(answer.body);
    expect(answer.headers.get('location')).toBe(`/v1/workflows/${workflowId}`);
    expect(links.temporal).toContain(workflowId);
    const done = await ended(workflowId);
    expect(done).toMatchObject({
      type: 'trainRegisterDeploy',
      status: 'completed',
      model: 'tiny',
      dataset: 'mnist',
      requestedBy: 'local-trainer',
      stage: 'completed',
      progress: { outcome: 'completed', percent: 100, activities: [] },
      result: { outcome: 'completed', registered: { model: 'tiny' } },
    });
  });

  it('with the same key and body starts nothing new, also after the end', async () => {
    const key = randomUUID();
    const first = await start(request(), 'trainer', key);
    expect(await start({ rollout: false, registerAs: 'tiny', model: 'mnist-softmax' }, 'trainer', key)).toEqual(first);
    await ended(first.workflowId);
    expect(await start(request(), 'trainer', key)).toEqual(first);
  });

  it('with the same key and another body is refused', async () => {
    const key = randomUUID();
    await start(request(), 'trainer', key);
    const answer = await api.call('POST', TRAIN, {
      role: 'trainer',
      json: request({ seed: 7 }),
      headers: { 'idempotency-key': key },
    });
    expect(answer.status).toBe(422);
    expect(problemOf(answer).code).toBe('IDEMPOTENCY_MISMATCH');
  });

  it('with the key of somebody else starts a workflow of its own', async () => {
    const key = randomUUID();
    const [mine, theirs] = [await start(request(), 'trainer', key), await start(request(), 'admin', key)];
    expect(mine.workflowId).not.toBe(theirs.workflowId);
  });

  it('of many at once with one key gives one workflow', async () => {
    const key = randomUUID();
    const all = await Promise.all(Array.from({ length: 8 }, () => start(request(), 'trainer', key)));
    expect(new Set(all.map(({ runId }) => runId)).size).toBe(1);
  });

  it('refuses what does not exist', async () => {
    const preset = await api.call('POST', TRAIN, { role: 'trainer', json: { model: 'nope' } });
    expect(problemOf(preset)).toMatchObject({ status: 404, code: 'PRESET_UNKNOWN', errors: [{ field: 'body.model' }] });
    const json = { model: 'nope', version: '1' };
    const rollout = await api.call('POST', '/v1/workflows/rollout', { role: 'releaser', json });
    expect(problemOf(rollout)).toMatchObject({ status: 404, code: 'MODEL_UNKNOWN' });
    const rollback = await api.call('POST', '/v1/workflows/rollback', { role: 'trainer', json: { model: 'nope' } });
    expect(problemOf(rollback)).toMatchObject({ status: 404, code: 'MODEL_UNKNOWN' });
  });
});

describe('GET /v1/workflows', () => {
  it('filters and pages', async () => {
    const held = heldTraining(new World());
    workers.use(held.activities);
    const registerAs = `list-${randomUUID().slice(0, 8)}`;
    const started = await Promise.all([1, 2, 3].map((seed) => start(request({ registerAs, seed }))));
    const list = async (query: string) =>
      WorkflowList.parse((await api.call('GET', `/v1/workflows?model=${registerAs}${query}`, { role: 'viewer' })).body);
    const ids = ({ workflows }: WorkflowList) => workflows.map(({ workflowId }) => workflowId).sort();
    // Visibility follows the executions with a short delay.
    const all = await until('all are listed', async () => {
      const page = await list('&status=running&type=trainRegisterDeploy');
      return page.workflows.length === started.length && page;
    });
    expect(ids(all)).toEqual(started.map(({ workflowId }) => workflowId).sort());
    const first = await list('&limit=2');
    const second = await list(`&limit=2&pageToken=${first.nextPageToken}`);
    expect(first.workflows).toHaveLength(2);
    expect(ids({ workflows: [...first.workflows, ...second.workflows] })).toEqual(ids(all));
    expect((await list('&status=failed')).workflows).toEqual([]);
    expect((await list('&type=rolloutModel')).workflows).toEqual([]);
    held.release();
    await Promise.all(started.map(({ workflowId }) => ended(workflowId)));
  });
});

describe('progress', () => {
  it('holds what the heartbeats of the training say', async () => {
    const held = heldTraining(new World());
    workers.use(held.activities);
    const { workflowId } = await start();
    const { progress } = await untilState(workflowId, (workflow) => workflow.progress?.training !== undefined);
    const before = progress?.stages.slice(0, 2).reduce((sum, { share = 0 }) => sum + share, 0) ?? 0;
    const share = progress?.stages.find(({ name }) => name === 'train')?.share ?? 0;
    expect(progress?.percent).toBeCloseTo(before + share / 2, 0);
    expect(progress).toMatchObject({
      stage: 'train',
      eta: 9,
      metrics: { loss: 0.5, throughput: 1234 },
      activities: [{ name: 'trainModel', attempt: 1 }],
    });
    held.release();
    await ended(workflowId);
  });

  it('tells why an attempt failed, and at the end why the workflow did', async () => {
    const world = new World();
    const { promise, resolve } = Promise.withResolvers<void>();
    let attempt = 0;
    workers.use(
      world.activities({
        evaluateModel: async () => {
          attempt += 1;
          if (attempt === 1) throw new SaipError('CHILD_CRASHED', 'signal 9');
          await promise;
          throw new SaipError('EXPORT_PARITY', 'differs by 0.3');
        },
      }),
    );
    const { workflowId } = await start();
    const retrying = await untilState(workflowId, ({ progress }) => progress?.activities[0]?.attempt === 2);
    expect(retrying.progress?.activities).toEqual([
      expect.objectContaining({ name: 'evaluateModel', lastFailure: 'CHILD_CRASHED: signal 9' }),
    ]);
    resolve();
    const failed = await ended(workflowId);
    expect(failed).toMatchObject({
      status: 'failed',
      failure: { code: 'EXPORT_PARITY', message: 'differs by 0.3', hint: expect.stringContaining('do not serve') },
      progress: { outcome: 'failed' },
    });
  });
});

describe('GET /v1/workflows/{id}/events', () => {
  it('streams changes in order and ends with the whole workflow', async () => {
    const held = heldTraining(new World());
    workers.use(held.activities);
    const { workflowId } = await start();
    const stream = await events(workflowId);
    expect(stream.contentType).toBe('text/event-stream; charset=utf-8');
    const before = await stream.until(({ data }) => WorkflowEvent.parse(data).progress?.training !== undefined);
    expect(before.every(({ event }) => event === 'progress')).toBe(true);
    held.release();
    const after = await stream.until(() => false);
    expect(after.at(-1)).toMatchObject({
      event: 'end',
      data: { status: 'completed', result: { outcome: 'completed' } },
    });
    const percents = [...before, ...after.slice(0, -1)].map(
      ({ data }) => WorkflowEvent.parse(data).progress?.percent ?? 0,
    );
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
  });

  it('goes on after the last event that the client saw, without repeating it', async () => {
    const held = heldTraining(new World());
    workers.use(held.activities);
    const { workflowId } = await start();
    const first = await events(workflowId);
    const seen = await first.until(({ data }) => WorkflowEvent.parse(data).progress?.training !== undefined);
    await first.close();
    const lastEventId = seen.at(-1)?.id ?? '';
    const second = await events(workflowId, { 'last-event-id': lastEventId });
    held.release();
    const rest = await second.until(() => false);
    const number = (id: string | undefined) => Number(id?.split('.')[1]);
    expect(number(rest[0]?.id)).toBe(number(lastEventId) + 1);
    expect(rest.at(-1)?.event).toBe('end');
  });

  it('of a workflow that has ended is its last state and the end', async () => {
    const { workflowId } = await start();
    await ended(workflowId);
    const stream = await events(workflowId);
    expect((await stream.until(() => false)).map(({ event }) => event)).toEqual(['progress', 'end']);
  });

  it('of an unknown workflow is a problem', async () => {
    expect((await events('nope')).status).toBe(404);
  });
});

describe('approving', () => {
  const waiting = async (): Promise<string> => {
    const { workflowId } = await start(request({ approval: { required: true } }), 'trainer');
    await untilState(workflowId, ({ progress }) => progress?.approval !== undefined);
    return workflowId;
  };
  const approve = (id: string, json: object, role: Role = 'approver') =>
    api.call('POST', `/v1/workflows/${id}/approve`, { role, json });

  it('carries a decision that the stack has signed for exactly this run', async () => {
    const world = new World();
    const bao = stackBao('worker-cpu');
    const keys = new TransitKeySet({ transit: bao, key: 'approvals' });
    workers.use(
      world.activities({
        verifyApproval: ({ jws, expected }) => verifyApproval(jws, { keys, issuer: api.url, expected }),
      }),
    );
    const id = await waiting();
    const answer = await approve(id, { decision: 'approve', subjectDigest: SUBJECT, comment: 'looks good' });
    expect(answer.status).toBe(202);
    expect(WorkflowUpdated.parse(answer.body).workflowId).toBe(id);
    expect(await ended(id)).toMatchObject({ result: { outcome: 'completed' } });
    await bao.close();
  });

  it('is refused to the requester, to who may not, and for another subject', async () => {
    const id = await waiting();
    const json = { decision: 'approve', subjectDigest: SUBJECT };
    expect(problemOf(await approve(id, json, 'trainer'))).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    expect(problemOf(await approve(id, { ...json, subjectDigest: 'b'.repeat(64) }))).toMatchObject({
      status: 409,
      code: 'APPROVAL_SUBJECT_MISMATCH',
    });
    await api.call('POST', `/v1/workflows/${id}/cancel`, { role: 'trainer', json: { reason: 'done' } });
    await ended(id);
  });

  it('is refused when nobody asked, and after the end', async () => {
    const held = heldTraining(new World());
    workers.use(held.activities);
    const { workflowId } = await start();
    const json = { decision: 'approve', subjectDigest: SUBJECT };
    expect(problemOf(await approve(workflowId, json)).code).toBe('APPROVAL_NOT_WAITING');
    held.release();
    await ended(workflowId);
    expect(problemOf(await approve(workflowId, json))).toMatchObject({ status: 409, code: 'WORKFLOW_CLOSED' });
  });
});

describe('cancelling and retrying', () => {
  it('ends a workflow with the reason that was given', async () => {
    const held = heldTraining(new World());
    workers.use(held.activities);
    const { workflowId } = await start();
    await untilState(workflowId, ({ progress }) => progress?.stage === 'train');
    const json = { reason: 'wrong data' };
    const answer = await api.call('POST', `/v1/workflows/${workflowId}/cancel`, { role: 'trainer', json });
    expect(answer.status).toBe(202);
    held.release();
    expect(await ended(workflowId)).toMatchObject({ result: { outcome: 'cancelled', reasons: ['wrong data'] } });
  });

  it('of a stage that has not failed is refused', async () => {
    const held = heldTraining(new World());
    workers.use(held.activities);
    const { workflowId } = await start();
    const json = { stage: 'evaluate' };
    const answer = await api.call('POST', `/v1/workflows/${workflowId}/retry`, { role: 'trainer', json });
    expect(problemOf(answer)).toMatchObject({ status: 409, code: 'STAGE_NOT_FAILED' });
    held.release();
    await ended(workflowId);
  });

  it('runs a failed stage again when the request asked to wait for that', async () => {
    const world = new World();
    let failures = 1;
    const plain = world.activities();
    workers.use(
      world.activities({
        evaluateModel: async (argument) => {
          if (failures-- > 0) throw new SaipError('EVALUATION_INPUT_INVALID', 'no');
          return plain.evaluateModel(argument);
        },
      }),
    );
    const { workflowId } = await start(request({ onFailure: { action: 'wait', windowSeconds: 600 } }));
    await untilState(
      workflowId,
      ({ progress }) => progress?.stages.find(({ name }) => name === 'evaluate')?.status === 'failed',
    );
    const json = { stage: 'evaluate' };
    const answer = await until('the retry is taken', async () => {
      const given = await api.call('POST', `/v1/workflows/${workflowId}/retry`, { role: 'trainer', json });
      return given.status !== 409 && given;
    });
    expect(answer.status).toBe(202);
    expect(await ended(workflowId)).toMatchObject({ status: 'completed' });
  });
});

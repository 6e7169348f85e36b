import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ScheduleList, ScheduleView, WorkflowList } from '../../contracts/api.ts';
import { createNamespace } from './support/namespace.ts';
import { problemOf, startApi, type CallOptions, type TestApi } from './support/harness.ts';
import { until } from './support/until.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startApi({ TEMPORAL_NAMESPACE: await createNamespace() });
});

afterAll(() => api.stop());

const call = (method: string, path: string, options: CallOptions = {}) =>
  api.call(method, `/v1/schedules${path}`, { role: 'trainer', ...options });
const create = (json: object) => call('POST', '', { json });
const train = { model: 'mnist-softmax' };

describe('a schedule', () => {
  it('is created with the nightly default, and found again', async () => {
    const created = await create({ id: 'nightly', train });
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe('/v1/schedules/nightly');
    const view = ScheduleView.parse(created.body);
    expect(view).toMatchObject({
      id: 'nightly',
      cron: '0 3 * * *',
      timezone: 'UTC',
      overlap: 'skip',
      model: 'mnist-softmax',
      dataset: 'mnist',
      requestedBy: 'local-trainer',
      paused: false,
      recentRuns: [],
    });
    expect(view.nextRuns[0]).toMatch(/T03:00:00/);
    expect((await call('GET', '/nightly', { role: 'viewer' })).body).toEqual(created.body);
  });

  it('is created once under its id', async () => {
    await create({ id: 'twice', train });
    expect(problemOf(await create({ id: 'twice', train }))).toMatchObject({ status: 409, code: 'SCHEDULE_EXISTS' });
  });

  it('takes a cron expression in a time zone, and no nonsense', async () => {
    const weekly = await create({ id: 'weekly', cron: '30 6 * * MON', timezone: 'Europe/Berlin', train });
    const [first = ''] = ScheduleView.parse(weekly.body).nextRuns;
    const berlin = new Intl.DateTimeFormat('en', { timeZone: 'Europe/Berlin', weekday: 'short', hour: '2-digit' });
    expect(berlin.format(new Date(first))).toContain('Mon');
    for (const wrong of [{ cron: '99 99 * * *' }, { timezone: 'Mars/Olympus' }]) {
      expect(problemOf(await create({ id: 'wrong', train, ...wrong }))).toMatchObject({
        status: 400,
        code: 'REQUEST_INVALID',
      });
    }
  });

  it('is paused and unpaused with a note', async () => {
    await create({ id: 'paused', train });
    expect((await call('POST', '/paused/pause', { json: { note: 'holidays' } })).body).toEqual({
      id: 'paused',
      paused: true,
    });
    expect((await call('GET', '/paused')).body).toMatchObject({ paused: true, note: 'holidays' });
    expect((await call('POST', '/paused/unpause')).body).toEqual({ id: 'paused', paused: false });
  });

  it('starts a training when it is triggered', async () => {
    await create({ id: 'now', paused: true, train });
    expect((await call('POST', '/now/trigger')).status).toBe(200);
    const { workflowId } = await until(
      'the run is listed',
      async () => ScheduleView.parse((await call('GET', '/now')).body).recentRuns[0],
    );
    expect(workflowId).toMatch(/^schedule-now-/);
    const { body } = await api.call('GET', `/v1/workflows/${workflowId}`, { role: 'viewer' });
    expect(body).toMatchObject({
      type: 'trainRegisterDeploy',
      status: 'running',
      model: 'mnist-softmax',
      requestedBy: 'schedule:now',
      stage: 'queued',
    });
    const list = await until('the workflow is listed', async () => {
      const { workflows } = WorkflowList.parse((await api.call('GET', '/v1/workflows', { role: 'viewer' })).body);
      return workflows.length > 0 && workflows;
    });
    expect(list.map((workflow) => workflow.workflowId)).toEqual([workflowId]);
  });

  it('is listed by id, in pages', async () => {
    for (const id of ['list-b', 'list-a', 'list-c']) await create({ id, train });
    const list = async (query: string) => ScheduleList.parse((await call('GET', query, { role: 'viewer' })).body);
    const ids = ({ schedules }: ScheduleList) => schedules.map(({ id }) => id).filter((id) => id.startsWith('list-'));
    // The list follows a creation with a short delay.
    const all = await until('all are listed', async () => {
      const page = await list('');
      return ids(page).length === 3 && page;
    });
    expect(ids(all)).toEqual(['list-a', 'list-b', 'list-c']);
    const first = await list('?limit=1');
    const second = await list(`?limit=1&pageToken=${first.nextPageToken}`);
    expect([first, second].map(({ schedules }) => schedules[0]?.id)).toEqual(
      all.schedules.slice(0, 2).map(({ id }) => id),
    );
  });

  it('is deleted, and is unknown then', async () => {
    await create({ id: 'gone', train });
    expect((await call('DELETE', '/gone')).status).toBe(204);
    for (const answer of [
      await call('GET', '/gone'),
      await call('DELETE', '/gone'),
      await call('POST', '/gone/pause'),
    ]) {
      expect(problemOf(answer)).toMatchObject({ status: 404, code: 'SCHEDULE_UNKNOWN' });
    }
  });

  it('is not for those who may only look', async () => {
    expect((await call('POST', '', { role: 'viewer', json: { id: 'no', train } })).status).toBe(403);
    expect((await call('DELETE', '/nightly', { role: 'viewer' })).status).toBe(403);
  });

  it('names what is wrong in the training it would start', async () => {
    const answer = await create({ id: 'bad', train: { model: 'nope' } });
    expect(problemOf(answer)).toMatchObject({ code: 'PRESET_UNKNOWN', errors: [{ field: 'body.train.model' }] });
  });
});

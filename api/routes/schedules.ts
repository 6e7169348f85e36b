import { z } from 'zod';
import {
  PageQuery,
  ScheduleChanged,
  ScheduleList,
  ScheduleNote,
  ScheduleRequest,
  ScheduleView,
} from '../../contracts/api.ts';
import type { AttackInput, AttackRequest } from '../../contracts/attack-retest.ts';
import { Name } from '../../contracts/reference.ts';
import type { TrainInput, TrainRequest } from '../../contracts/train-register-deploy.ts';
import { attackStart, scheduleSubject, trainingStart } from '../../contracts/workflows.ts';
import { ApiError } from '../errors.ts';
import { route, type Caller, type Route } from '../http/route.ts';
import { below } from '../http/validate.ts';
import type { TemporalGateway } from '../temporal/gateway.ts';
import {
  changeSchedule,
  createSchedule,
  getSchedule,
  listSchedules,
  scheduleResource,
  type ScheduleChange,
  type ScheduledRun,
} from '../temporal/schedules.ts';

export interface ScheduleRoutesOptions {
  readonly temporal: TemporalGateway;
  readonly resolveTrainInput: (request: TrainRequest, requestedBy: string) => TrainInput;
  readonly resolveAttackInput: (request: AttackRequest, requestedBy: string) => AttackInput;
  /** @throws MODEL_UNKNOWN */
  readonly requireModel: (model: string) => Promise<unknown>;
}

const tag = 'Schedules';
const params = z.strictObject({ id: Name });

export function scheduleRoutes(options: ScheduleRoutesOptions): Route[] {
  return [
    ...readRoutes(options),
    createRoute(options),
    deleteRoute(options),
    changeRoute(options, 'trigger', 'Start a run now'),
    changeRoute(options, 'pause', 'Start no runs until it is unpaused'),
    changeRoute(options, 'unpause', 'Start runs again'),
  ];
}

function readRoutes({ temporal }: ScheduleRoutesOptions): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/schedules',
      operationId: 'listSchedules',
      tag,
      summary: 'Schedules by id',
      access: 'schedule:read',
      query: PageQuery,
      success: { status: 200, description: 'One page.', schema: ScheduleList },
      errors: ['UNAVAILABLE'],
      handler: ({ query, caller }) => listSchedules(temporal, { ...query, tenant: caller.tenant }),
    }),
    route({
      method: 'get',
      path: '/v1/schedules/{id}',
      operationId: 'getSchedule',
      tag,
      summary: 'A schedule with its last and next runs',
      access: 'schedule:read',
      params,
      success: { status: 200, description: 'The schedule.', schema: ScheduleView },
      errors: ['SCHEDULE_UNKNOWN', 'UNAVAILABLE'],
      handler: ({ params: { id }, caller }) => getSchedule(temporal, id, caller.tenant),
    }),
  ];
}

function createRoute(options: ScheduleRoutesOptions): Route {
  return route({
    method: 'post',
    path: '/v1/schedules',
    operationId: 'createSchedule',
    tag,
    summary: 'Retrain or attack on a cron, every night at 03:00 unless told otherwise',
    access: 'schedule:write',
    bodyResource: {
      anyOf: [{ workflowType: 'trainRegisterDeploy' }, { workflowType: 'attackRetest' }],
      of: ({ attack }) => ({ workflowType: attack === undefined ? 'trainRegisterDeploy' : 'attackRetest' }),
    },
    body: ScheduleRequest,
    success: {
      status: 201,
      description: 'The schedule.',
      schema: ScheduleView,
      headers: { Location: 'Path of the schedule.' },
    },
    errors: [
      'SCHEDULE_EXISTS',
      'PRESET_UNKNOWN',
      'DATASET_UNKNOWN',
      'MODEL_CONFIG_INVALID',
      'MODEL_UNKNOWN',
      'UNAVAILABLE',
    ],
    auditDetail: ({ body }) => ({ schedule: body.id, cron: body.cron, timezone: body.timezone }),
    handler: async ({ body, caller, response }) => {
      const run = await scheduledRun(options, body, caller);
      const view = await createSchedule(options.temporal, { request: body, run, createdBy: caller.sub });
      response.location(`/v1/schedules/${body.id}`);
      return view;
    },
  });
}

/** What the schedule starts, resolved for `schedule:<id>`. */
async function scheduledRun(
  { resolveTrainInput, resolveAttackInput, requireModel }: ScheduleRoutesOptions,
  { id, train, attack }: ScheduleRequest,
  { tenant }: Caller,
): Promise<ScheduledRun> {
  const subject = scheduleSubject(id);
  if (attack !== undefined) {
    await requireModel(attack.model);
    const input = { ...below('body.attack', () => resolveAttackInput(attack, subject)), tenant };
    return { start: attackStart(input), input, model: input.model, tenant };
  }
  if (train === undefined) throw new ApiError('REQUEST_INVALID', 'Nothing is to be started.', { field: 'body.train' });
  const input = { ...below('body.train', () => resolveTrainInput(train, subject)), tenant };
  return { start: trainingStart(input), input, model: input.registerAs, dataset: input.dataset, tenant };
}

function deleteRoute({ temporal }: ScheduleRoutesOptions): Route {
  return route({
    method: 'delete',
    path: '/v1/schedules/{id}',
    operationId: 'deleteSchedule',
    tag,
    summary: 'Remove a schedule; runs that it started go on',
    access: 'schedule:write',
    resource: ({ id }) => scheduleResource(temporal, id),
    params,
    success: { status: 204, description: 'It is gone.' },
    errors: ['SCHEDULE_UNKNOWN', 'UNAVAILABLE'],
    handler: async ({ params: { id }, caller }) => {
      await own(temporal, id, caller);
      await changeSchedule(temporal, id, 'delete');
    },
  });
}

function changeRoute(
  { temporal }: ScheduleRoutesOptions,
  change: Exclude<ScheduleChange, 'delete'>,
  summary: string,
): Route {
  return route({
    method: 'post',
    path: `/v1/schedules/{id}/${change}`,
    operationId: `${change}Schedule`,
    tag,
    summary,
    access: 'schedule:write',
    resource: ({ id }) => scheduleResource(temporal, id),
    params,
    body: ScheduleNote,
    bodyOptional: true,
    success: { status: 200, description: 'Done.', schema: ScheduleChanged },
    errors: ['SCHEDULE_UNKNOWN', 'UNAVAILABLE'],
    handler: async ({ params: { id }, body, caller }) => {
      await own(temporal, id, caller);
      await changeSchedule(temporal, id, change, body.note);
      const { paused } = await getSchedule(temporal, id, caller.tenant);
      return { id, paused };
    },
  });
}

/** @throws SCHEDULE_UNKNOWN for a schedule of another tenant, too */
async function own(temporal: TemporalGateway, id: string, caller: Caller): Promise<void> {
  await getSchedule(temporal, id, caller.tenant);
}

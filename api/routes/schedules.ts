import { z } from 'zod';
import {
  PageQuery,
  ScheduleChanged,
  ScheduleList,
  ScheduleNote,
  ScheduleRequest,
  ScheduleView,
} from '../../contracts/api.ts';
import { Name } from '../../contracts/reference.ts';
import type { TrainInput, TrainRequest } from '../../contracts/train-register-deploy.ts';
import { scheduleSubject } from '../../contracts/workflows.ts';
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
} from '../temporal/schedules.ts';

export interface ScheduleRoutesOptions {
  readonly temporal: TemporalGateway;
  readonly resolveTrainInput: (request: TrainRequest, requestedBy: string) => TrainInput;
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

function createRoute({ temporal, resolveTrainInput }: ScheduleRoutesOptions): Route {
  return route({
    method: 'post',
    path: '/v1/schedules',
    operationId: 'createSchedule',
    tag,
    summary: 'Retrain on a cron, every night at 03:00 unless told otherwise',
    access: 'schedule:write',
    resource: () => ({ workflowType: 'trainRegisterDeploy' }),
    body: ScheduleRequest,
    success: {
      status: 201,
      description: 'The schedule.',
      schema: ScheduleView,
      headers: { Location: 'Path of the schedule.' },
    },
    errors: ['SCHEDULE_EXISTS', 'PRESET_UNKNOWN', 'DATASET_UNKNOWN', 'MODEL_CONFIG_INVALID', 'UNAVAILABLE'],
    auditDetail: ({ body }) => ({ schedule: body.id, cron: body.cron, timezone: body.timezone }),
    handler: async ({ body, caller, response }) => {
      const resolved = below('body.train', () => resolveTrainInput(body.train, scheduleSubject(body.id)));
      const input = { ...resolved, tenant: caller.tenant };
      const view = await createSchedule(temporal, { request: body, input, createdBy: caller.sub });
      response.location(`/v1/schedules/${body.id}`);
      return view;
    },
  });
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

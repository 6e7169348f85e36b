import {
  ScheduleOverlapPolicy,
  type ScheduleDescription,
  type ScheduleExecutionResult,
  type ScheduleSummary,
} from '@temporalio/client';
import { z } from 'zod';
import type { ScheduleRequest } from '../../contracts/api.ts';
import { type ScheduleList, type ScheduleView, WorkflowType } from '../../contracts/api.ts';
import type { AttackInput } from '../../contracts/attack-retest.ts';
import type { TrainInput } from '../../contracts/train-register-deploy.ts';
import type { WorkflowStart } from '../../contracts/workflows.ts';
import type { Resource } from '../../lib/policy/index.ts';
import { Name } from '../../contracts/reference.ts';
import { ApiError } from '../errors.ts';
import { pageOf, readToken } from '../http/paging.ts';
import type { Subject } from './failures.ts';
import type { TemporalGateway } from './gateway.ts';
import { searchAttributePairs } from './start.ts';

/** A run that was missed by more than this, because the stack was down, is not made up for. */
const CATCHUP_WINDOW = '1 hour';
const SHOWN_RUNS = 5;

const OVERLAP = {
  skip: ScheduleOverlapPolicy.SKIP,
  'buffer-one': ScheduleOverlapPolicy.BUFFER_ONE,
  'cancel-other': ScheduleOverlapPolicy.CANCEL_OTHER,
} as const satisfies Record<ScheduleRequest['overlap'], ScheduleOverlapPolicy>;

/** What Temporal does not keep as it was given: it compiles cron expressions into calendars. */
const Memo = z.object({
  cron: z.string(),
  timezone: z.string(),
  overlap: z.string(),
  workflowType: WorkflowType.default('trainRegisterDeploy'),
  model: z.string(),
  dataset: z.string().optional(),
  createdBy: z.string(),
  tenant: z.string(),
  createdAt: z.string(),
});
type Memo = z.infer<typeof Memo>;

/** What a schedule starts. */
export interface ScheduledRun {
  readonly start: WorkflowStart;
  /** The request resolved for `schedule:<id>`. */
  readonly input: TrainInput | AttackInput;
  readonly model: string;
  readonly dataset?: string;
  readonly tenant: string;
}

export interface NewSchedule {
  readonly request: ScheduleRequest;
  readonly run: ScheduledRun;
  readonly createdBy: string;
}

const subject = (id: string): Subject => ({ kind: 'schedule', id });

/** @throws {ApiError} `SCHEDULE_EXISTS`; `REQUEST_INVALID` for a cron expression that Temporal refuses */
export async function createSchedule(gateway: TemporalGateway, schedule: NewSchedule): Promise<ScheduleView> {
  const { request, run, createdBy } = schedule;
  const { start, input, model, dataset, tenant } = run;
  const memo: Memo = {
    cron: request.cron,
    timezone: request.timezone,
    overlap: request.overlap,
    workflowType: start.workflowType,
    model,
    ...(dataset !== undefined && { dataset }),
    createdBy,
    tenant,
    createdAt: new Date().toISOString(),
  };
  const action = {
    type: 'startWorkflow' as const,
    workflowType: start.workflowType,
    workflowId: `schedule-${request.id}`,
    taskQueue: start.taskQueue,
    args: [input],
    staticSummary: start.staticSummary,
    staticDetails: start.staticDetails,
    typedSearchAttributes: searchAttributePairs(start),
    priority: start.priority,
  };
  try {
    await gateway.call(subject(request.id), () =>
      gateway.client.schedule.create({
        scheduleId: request.id,
        spec: { cronExpressions: [request.cron], timezone: request.timezone },
        policies: { overlap: OVERLAP[request.overlap], catchupWindow: CATCHUP_WINDOW },
        state: { paused: request.paused, note: request.note },
        memo,
        action,
      }),
    );
  } catch (error) {
    // The client's own class for what the server says about a specification.
    if (!(error instanceof TypeError)) throw error;
    throw new ApiError('REQUEST_INVALID', error.message, { cause: error, field: 'body.cron' });
  }
  return getSchedule(gateway, request.id, tenant);
}

export async function getSchedule(gateway: TemporalGateway, id: string, tenant: string): Promise<ScheduleView> {
  const description = await gateway.call(subject(id), () => gateway.client.schedule.getHandle(id).describe());
  const view = viewOf(description, tenant);
  if (!view) throw new ApiError('SCHEDULE_UNKNOWN', `There is no schedule ${id}.`);
  return view;
}

/** What policy is told about a schedule: what it starts. @throws {ApiError} `SCHEDULE_UNKNOWN` */
export async function scheduleResource(gateway: TemporalGateway, id: string): Promise<Resource> {
  const { action } = await gateway.call(subject(id), () => gateway.client.schedule.getHandle(id).describe());
  return { workflowType: action.workflowType };
}

/** Schedules are few; a page is cut from the whole list. */
export async function listSchedules(
  gateway: TemporalGateway,
  request: { limit: number; pageToken?: string; tenant: string },
): Promise<ScheduleList> {
  const all = await gateway.call(undefined, async () => {
    const summaries: ScheduleSummary[] = [];
    for await (const summary of gateway.client.schedule.list()) summaries.push(summary);
    return summaries;
  });
  const views = all
    .map((summary) => viewOf(summary, request.tenant))
    .filter((view) => view !== undefined)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const after = readToken(request.pageToken, Name);
  const rest = after === undefined ? views : views.filter(({ id }) => id > after);
  const { items, nextPageToken } = pageOf(rest, request.limit, ({ id }) => id);
  return { schedules: items, nextPageToken };
}

export type ScheduleChange = 'trigger' | 'pause' | 'unpause' | 'delete';

/** @throws {ApiError} `SCHEDULE_UNKNOWN` */
export async function changeSchedule(
  gateway: TemporalGateway,
  id: string,
  change: ScheduleChange,
  note?: string,
): Promise<void> {
  await gateway.call(subject(id), () => {
    const handle = gateway.client.schedule.getHandle(id);
    switch (change) {
      case 'trigger':
        return handle.trigger(ScheduleOverlapPolicy.ALLOW_ALL);
      case 'pause':
        return handle.pause(note ?? 'paused through the API');
      case 'unpause':
        return handle.unpause(note ?? 'unpaused through the API');
      case 'delete':
        return handle.delete();
    }
  });
}

/** Undefined for schedules that are not this platform's or not this tenant's. */
function viewOf(schedule: ScheduleSummary | ScheduleDescription, tenant: string): ScheduleView | undefined {
  const parsed = Memo.safeParse(schedule.memo);
  if (!parsed.success || parsed.data.tenant !== tenant) return undefined;
  const { cron, timezone, overlap, workflowType, model, dataset, createdBy, createdAt } = parsed.data;
  const { recentActions, nextActionTimes } = schedule.info;
  return {
    id: schedule.scheduleId,
    cron,
    timezone,
    overlap,
    workflowType,
    model,
    dataset,
    requestedBy: createdBy,
    paused: schedule.state.paused,
    note: schedule.state.note,
    nextRuns: nextActionTimes.slice(0, SHOWN_RUNS).map((time) => time.toISOString()),
    recentRuns: recentActions.slice(-SHOWN_RUNS).map(recentRun),
    createdAt,
  };
}

function recentRun({ scheduledAt, takenAt, action }: ScheduleExecutionResult): ScheduleView['recentRuns'][number] {
  return {
    workflowId: action.workflow.workflowId,
    runId: action.workflow.firstExecutionRunId,
    scheduledAt: scheduledAt.toISOString(),
    startedAt: takenAt.toISOString(),
  };
}

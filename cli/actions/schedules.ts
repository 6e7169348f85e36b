import { ScheduleChanged, ScheduleList, ScheduleView } from '../../contracts/api.ts';
import type { Role } from '../../contracts/roles.ts';
import { usageError } from '../errors.ts';
import { ApiClient, path } from '../client/index.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderPairs, renderTable } from '../render/table.ts';
import { formatTime } from '../render/time.ts';
import { buildAttackRequest } from './attack-request.ts';
import { presetTraining } from './train.ts';
import { buildTrainRequest } from './train-request.ts';
import type { TrainRequestOptions } from './train-request.ts';

export interface CreateOptions extends TrainRequestOptions, OutputOptions {
  /** Attacks instead of training. */
  readonly attack?: boolean;
  readonly cron?: string;
  readonly timezone?: string;
  readonly overlap?: string;
  readonly paused?: boolean;
  readonly note?: string;
}

export async function createSchedule(io: Io, id: string, model: string, options: CreateOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const { cron, timezone, overlap, paused, note } = options;
  const work = options.attack === true ? attackOf(model, options) : await trainingOf(api, model, options);
  const body = { id, cron, timezone, overlap, paused, note, ...work };
  const role = options.attack === true ? 'redteam' : 'trainer';
  const created = await api.post('/v1/schedules', body, ScheduleView, { role });
  present(io, options, created, describe);
  return EXIT.ok;
}

async function trainingOf(api: ApiClient, model: string, options: CreateOptions): Promise<object> {
  return { train: await buildTrainRequest(model, options, (preset) => presetTraining(api, preset)) };
}

/** Options that only a training has. */
const OF_TRAININGS = ['epochs', 'dataset', 'registerAs', 'approval', 'waitOnFailure'] as const;

function attackOf(model: string, options: CreateOptions): object {
  const wrong = OF_TRAININGS.find((name) => options[name] !== undefined);
  if (wrong !== undefined || options.rollout === false) {
    throw usageError(`--attack does not go with ${wrong ?? 'no-rollout'}`, 'Shape the attack with --set.');
  }
  const { seed, set } = options;
  return { attack: buildAttackRequest(model, { seed, set }) };
}

function describe(schedule: ScheduleView): string {
  return renderPairs([
    ['schedule', schedule.id],
    schedule.workflowType === 'attackRetest'
      ? ['attacks', schedule.model]
      : ['trains', `${schedule.model} on ${schedule.dataset ?? 'its data set'}`],
    ['cron', `${schedule.cron} ${schedule.timezone}`],
    ['overlap', schedule.overlap],
    ['paused', schedule.paused ? 'yes' : 'no'],
    ['note', schedule.note],
    ['next', schedule.nextRuns.slice(0, 3).map(formatTime).join(', ')],
    ['recent', schedule.recentRuns.map(({ workflowId }) => workflowId).join(', ')],
    ['requested by', schedule.requestedBy],
  ]);
}

export async function listSchedules(io: Io, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const list = await api.get('/v1/schedules', ScheduleList, { role: 'viewer' });
  present(io, options, list, ({ schedules }) => {
    if (schedules.length === 0) return 'no schedules';
    const rows = schedules.map(({ id, workflowType, model, cron, timezone, paused, nextRuns }) => [
      id,
      workflowType,
      model,
      `${cron} ${timezone}`,
      paused ? 'paused' : 'active',
      nextRuns[0] && formatTime(nextRuns[0]),
    ]);
    return renderTable(['schedule', 'starts', 'model', 'cron', 'state', 'next'], rows, io);
  });
  return EXIT.ok;
}

export async function showSchedule(io: Io, id: string, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const schedule = await api.get(path`/v1/schedules/${id}`, ScheduleView, { role: 'viewer' });
  present(io, options, schedule, describe);
  return EXIT.ok;
}

export type ScheduleChange = 'trigger' | 'pause' | 'unpause';

export interface ChangeOptions extends OutputOptions {
  readonly note?: string;
}

const CHANGED: Readonly<Record<ScheduleChange, string>> = {
  trigger: 'triggered',
  pause: 'paused',
  unpause: 'unpaused',
};

export async function changeSchedule(
  io: Io,
  id: string,
  change: ScheduleChange,
  options: ChangeOptions,
): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const route = `${path`/v1/schedules/${id}`}/${change}`;
  const role = await roleFor(api, id);
  const changed = await api.post(route, { note: options.note }, ScheduleChanged, { role });
  present(io, options, changed, () => `${CHANGED[change]} ${id}`);
  return EXIT.ok;
}

export async function deleteSchedule(io: Io, id: string, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  await api.delete(path`/v1/schedules/${id}`, { role: await roleFor(api, id) });
  present(io, options, { id, deleted: true }, () => `deleted ${id}`);
  return EXIT.ok;
}

/** The role of the local stack's tokens that may change the schedule. */
async function roleFor(api: ApiClient, id: string): Promise<Role> {
  const { workflowType } = await api.get(path`/v1/schedules/${id}`, ScheduleView, { role: 'viewer' });
  return workflowType === 'attackRetest' ? 'redteam' : 'trainer';
}

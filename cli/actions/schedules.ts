import { ScheduleChanged, ScheduleList, ScheduleView } from '../../contracts/api.ts';
import { ApiClient, path } from '../client/index.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderPairs, renderTable } from '../render/table.ts';
import { formatTime } from '../render/time.ts';
import { presetTraining } from './train.ts';
import { buildTrainRequest } from './train-request.ts';
import type { TrainRequestOptions } from './train-request.ts';

export interface CreateOptions extends TrainRequestOptions, OutputOptions {
  readonly cron?: string;
  readonly timezone?: string;
  readonly overlap?: string;
  readonly paused?: boolean;
  readonly note?: string;
}

export async function createSchedule(io: Io, id: string, model: string, options: CreateOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const train = await buildTrainRequest(model, options, (preset) => presetTraining(api, preset));
  const { cron, timezone, overlap, paused, note } = options;
  const body = { id, cron, timezone, overlap, paused, note, train };
  const created = await api.post('/v1/schedules', body, ScheduleView, { role: 'trainer' });
  present(io, options, created, describe);
  return EXIT.ok;
}

function describe(schedule: ScheduleView): string {
  return renderPairs([
    ['schedule', schedule.id],
    ['trains', `${schedule.model} on ${schedule.dataset}`],
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
    const rows = schedules.map(({ id, model, cron, timezone, paused, nextRuns }) => [
      id,
      model,
      `${cron} ${timezone}`,
      paused ? 'paused' : 'active',
      nextRuns[0] && formatTime(nextRuns[0]),
    ]);
    return renderTable(['schedule', 'model', 'cron', 'state', 'next'], rows, io);
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
  const changed = await api.post(route, { note: options.note }, ScheduleChanged, { role: 'trainer' });
  present(io, options, changed, () => `${CHANGED[change]} ${id}`);
  return EXIT.ok;
}

export async function deleteSchedule(io: Io, id: string, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  await api.delete(path`/v1/schedules/${id}`, { role: 'trainer' });
  present(io, options, { id, deleted: true }, () => `deleted ${id}`);
  return EXIT.ok;
}

import { LimitList, LimitView, UsageList } from '../../contracts/limits.ts';
import { z } from 'zod';
import { ApiClient } from '../client/index.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderTable } from '../render/table.ts';
import { formatTime } from '../render/time.ts';
import { usageError } from '../errors.ts';

export interface CallerOptions extends OutputOptions {
  readonly key?: string;
  readonly subject?: string;
  readonly role?: string;
  readonly model?: string;
}

export interface SetLimitOptions extends CallerOptions {
  readonly rate?: number;
  readonly burst?: number;
  readonly dailyRows?: number;
  readonly budgetRows?: number;
}

const none = (value: number | undefined): string =>
  value === undefined ? '-' : value === 0 ? 'no limit' : String(value);

export async function listLimits(io: Io, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const list = await api.get('/v1/limits', LimitList, { role: 'auditor' });
  present(io, options, list, ({ limits, defaults }) => {
    const { rate, burst, dailyRows, budgetRows } = defaults;
    const rows = limits.map((limit) => [
      limit.kind === 'everybody' ? 'everybody' : `${limit.kind} ${limit.name}`,
      limit.model ?? 'all',
      none(limit.rate),
      none(limit.burst),
      none(limit.dailyRows),
      `${none(limit.budgetRows)}${sourceOf(limit)}`,
      limit.setBy,
      formatTime(limit.setAt),
    ]);
    const last = ['otherwise', 'all', none(rate), none(burst), none(dailyRows), none(budgetRows), 'configuration', ''];
    const head = ['caller', 'model', 'requests/s', 'at once', 'rows a day', 'rows in 30 days', 'set by', 'at'];
    return renderTable(head, [...rows, last], io);
  });
  return EXIT.ok;
}

/** Where the budget comes from a curve. */
function sourceOf({ budgetSource }: LimitView): string {
  return budgetSource === undefined
    ? ''
    : ` (curve ${String(budgetSource.curve)} at ${String(budgetSource.threshold)})`;
}

export async function setLimit(io: Io, options: SetLimitOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const { rate, burst, dailyRows, budgetRows } = options;
  const body = { ...callerOf(options), rate, burst, dailyRows, budgetRows };
  const limit = await api.post('/v1/limits', body, LimitView, { role: 'admin' });
  present(
    io,
    options,
    limit,
    ({ kind, name, model = 'all models' }) => `set for ${`${kind} ${name}`.trim()}, ${model}`,
  );
  return EXIT.ok;
}

export async function removeLimit(io: Io, options: CallerOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const body = callerOf(options);
  await api.post('/v1/limits/remove', body, z.unknown(), { role: 'admin' });
  present(
    io,
    options,
    { ...body, removed: true },
    () => `removed the limit of ${`${body.kind} ${body.name ?? ''}`.trim()}`,
  );
  return EXIT.ok;
}

export interface UsageOptions extends OutputOptions {
  readonly subject?: string;
  readonly model?: string;
  readonly days?: number;
}

export async function showUsage(io: Io, options: UsageOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const { subject, model, days } = options;
  const list = await api.get('/v1/usage', UsageList, { role: 'auditor', query: { subject, model, days } });
  present(io, options, list, ({ usage }) => {
    if (usage.length === 0) return 'nothing was asked';
    const rows = usage.map((entry) => [
      entry.subject,
      entry.apiKey ?? '-',
      entry.model,
      entry.requests,
      entry.rows,
      entry.refused,
      entry.lastDay,
    ]);
    return renderTable(['subject', 'key', 'model', 'requests', 'rows', 'refused', 'last'], rows, io);
  });
  return EXIT.ok;
}

/** Of a key, a subject or a role; without any of them everybody. */
export function callerOf({ key, subject, role, model }: CallerOptions): {
  kind: string;
  name?: string;
  model?: string;
} {
  const given = Object.entries({ key, subject, role }).filter(([, name]) => name !== undefined);
  if (given.length > 1) throw usageError('Name one of --key, --subject and --role.');
  const [kind = 'everybody', name] = given[0] ?? [];
  return { kind, name, model };
}

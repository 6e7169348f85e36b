import { FlagList, MisuseFlag, ProtectionList, type Protection } from '../../contracts/misuse.ts';
import { ApiClient, path } from '../client/index.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderTable } from '../render/table.ts';
import { formatTime } from '../render/time.ts';

export interface ListFlagsOptions extends OutputOptions {
  readonly subject?: string;
  readonly model?: string;
  readonly all?: boolean;
  readonly pageToken?: string;
}

export async function listFlags(io: Io, options: ListFlagsOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const { subject, model, all, pageToken } = options;
  const query = { subject, model, all: all === true ? 'true' : undefined, pageToken };
  const list = await api.get('/v1/misuse/flags', FlagList, { role: 'auditor', query });
  present(io, options, list, ({ flags, nextPageToken }) => {
    if (flags.length === 0) return 'no flags';
    const rows = flags.map((flag) => [
      flag.id,
      flag.subject,
      flag.model,
      flag.kind,
      evidenceText(flag),
      formatTime(flag.flaggedAt),
      flag.liftedAt === undefined ? 'open' : `lifted by ${flag.liftedBy ?? ''}: ${flag.liftReason ?? ''}`,
    ]);
    const table = renderTable(['flag', 'caller', 'model', 'kind', 'seen', 'since', 'state'], rows, io);
    return nextPageToken === undefined ? table : `${table}\nmore: --page-token ${nextPageToken}`;
  });
  return EXIT.ok;
}

function evidenceText({ evidence }: MisuseFlag): string {
  return Object.entries(evidence)
    .map(([name, value]) => `${name} ${String(Number(value.toPrecision(4)))}`)
    .join(', ');
}

export async function liftFlag(io: Io, id: number, options: OutputOptions & { reason: string }): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const body = { reason: options.reason };
  const flag = await api.post(`${path`/v1/misuse/flags/${String(id)}`}/lift`, body, MisuseFlag, { role: 'admin' });
  present(io, options, flag, ({ subject, model }) => `${subject} may ask ${model} again`);
  return EXIT.ok;
}

export interface ProtectOptions extends OutputOptions {
  readonly role?: string;
  readonly labelsOnly?: boolean;
  readonly topK?: number;
  readonly decimals?: number;
  readonly temperature?: number;
  readonly onFlag?: string;
  readonly minW?: number;
  readonly maxStrangeShare?: number;
  readonly outOfRange?: string;
  readonly clear?: boolean;
}

/** `saip misuse protect`: with a setting it replaces what was set for the role; without one it shows. */
export async function protectModel(io: Io, model: string, options: ProtectOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const { role, json, clear, ...settings } = options;
  const at = `${path`/v1/models/${model}`}/protection`;
  const list =
    clear === true || Object.keys(settings).length > 0
      ? await api.post(at, { role, settings: clear === true ? {} : settings }, ProtectionList, { role: 'admin' })
      : await api.get(at, ProtectionList, { role: 'auditor' });
  present(io, { json }, list, ({ protections, defaults }) =>
    renderTable(
      ['role', 'settings', 'set by', 'at'],
      [
        ...protections.map((row) => [
          row.role ?? 'every',
          settingsText(row.settings),
          row.setBy,
          formatTime(row.setAt),
        ]),
        ['otherwise', settingsText(defaults), 'configuration', ''],
      ],
      io,
    ),
  );
  return EXIT.ok;
}

function settingsText(settings: Protection): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ');
}

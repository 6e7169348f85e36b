import { AliasHistory, AliasList, ModelDetail, ModelList, ModelVersionList, PresetList } from '../../contracts/api.ts';
import type { ModelVersionView } from '../../contracts/api.ts';
import { ApiClient, path } from '../client/index.ts';
import type { CallOptions } from '../client/index.ts';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderPairs, renderTable } from '../render/table.ts';
import { formatTime } from '../render/time.ts';

const READ: CallOptions = { role: 'viewer' };
/** Hexadecimal digits of a digest that a table shows. */
const SHORT_DIGEST = 12;

export async function listModels(io: Io, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const list = await api.get('/v1/models', ModelList, READ);
  present(io, options, list, ({ models }) => {
    if (models.length === 0) return 'no models; train one with saip train mnist-cnn';
    const rows = models.map(({ name, versions, latestVersion, aliases, updatedAt }) => [
      name,
      versions,
      latestVersion,
      aliasText(aliases),
      formatTime(updatedAt),
    ]);
    return renderTable(['model', 'versions', 'latest', 'aliases', 'updated'], rows, io);
  });
  return EXIT.ok;
}

function aliasText(aliases: Readonly<Record<string, string>>): string {
  return Object.entries(aliases)
    .map(([alias, version]) => `${alias}=${version}`)
    .join(' ');
}

export async function showModel(io: Io, name: string, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const model = await api.get(path`/v1/models/${name}`, ModelDetail, READ);
  present(io, options, model, ({ versions, aliases, latest, champion, createdAt, updatedAt }) => {
    const serving = champion?.serving.map(({ replica, state, reason }) =>
      [replica, state, reason].filter(Boolean).join(' '),
    );
    return renderPairs([
      ['model', model.name],
      ['versions', versions],
      ['aliases', aliasText(aliases)],
      ['champion', champion && `${champion.version} since ${formatTime(champion.since)} (${champion.reason})`],
      ['served by', serving?.join(', ')],
      ['latest', latest.version],
      ['digest', latest.digest],
      ['metrics', metricText(latest)],
      ['workflow', latest.workflowId],
      ['created', formatTime(createdAt)],
      ['updated', formatTime(updatedAt)],
    ]);
  });
  return EXIT.ok;
}

export async function listVersions(io: Io, name: string, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const list = await api.get(path`/v1/models/${name}/versions`, ModelVersionList, READ);
  present(io, options, list, ({ versions }) => {
    const rows = versions.map((version) => [
      version.version,
      version.digest.slice(0, SHORT_DIGEST),
      version.withdrawn === undefined ? version.aliases.join(' ') : `withdrawn: ${version.withdrawn.reason}`,
      metricText(version),
      formatTime(version.createdAt),
    ]);
    return renderTable(['version', 'digest', 'aliases', 'metrics', 'created'], rows, io);
  });
  return EXIT.ok;
}

function metricText({ metrics }: ModelVersionView): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name}=${value.toFixed(4)}`)
    .join(' ');
}

export async function listAliases(io: Io, name: string, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const list = await api.get(path`/v1/models/${name}/aliases`, AliasList, READ);
  present(io, options, list, ({ aliases }) => {
    const rows = aliases.map(({ alias, version, since, actor, serving }) => [
      alias,
      version,
      formatTime(since),
      actor,
      serving.map(({ replica, state, code }) => [replica, state, code].filter(Boolean).join(' ')).join(', '),
    ]);
    return renderTable(['alias', 'version', 'since', 'actor', 'served by'], rows, io);
  });
  return EXIT.ok;
}

export interface HistoryOptions extends OutputOptions {
  readonly alias?: string;
  /** Any time that `Date` reads. */
  readonly at?: string;
}

export async function showHistory(io: Io, name: string, options: HistoryOptions): Promise<ExitCode> {
  const at = options.at === undefined ? undefined : isoTime(options.at);
  const api = await ApiClient.open(io.env);
  const query = { alias: options.alias, at };
  const history = await api.get(path`/v1/models/${name}/history`, AliasHistory, { ...READ, query });
  present(io, options, history, ({ live, events }) => {
    const rows = events.map((event) => [
      formatTime(event.at),
      event.alias,
      event.version ?? '(taken away)',
      event.actor,
      event.reason,
    ]);
    const table = renderTable(['time', 'alias', 'version', 'actor', 'reason'], rows, io);
    if (live === undefined || at === undefined) return table;
    const then = live.map(({ alias, version }) => `${alias}=${version}`).join(' ');
    return `live at ${formatTime(at)}: ${then || 'nothing'}\n\n${table}`;
  });
  return EXIT.ok;
}

function isoTime(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) {
    throw usageError(`--at ${text} is not a time`, 'For example --at 2026-01-31T03:00:00Z.');
  }
  return time.toISOString();
}

export async function listPresets(io: Io, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const list = await api.get('/v1/presets', PresetList, READ);
  present(io, options, list, ({ presets }) => {
    const rows = presets.map(({ name, dataset, training, model }) => [
      name,
      dataset,
      training.epochs,
      training.batchSize,
      model.description,
    ]);
    return renderTable(['preset', 'data set', 'epochs', 'batch', 'description'], rows, io);
  });
  return EXIT.ok;
}

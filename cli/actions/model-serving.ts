import { RepositoryIndex, RepositorySwitched } from '../../contracts/repository.ts';
import { StatisticsResponse, type StatisticDuration } from '../../contracts/statistics.ts';
import { ApiClient, path } from '../client/index.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderTable } from '../render/table.ts';
import { formatTime } from '../render/time.ts';

/** Verification and the first runs of a large graph take their time. */
const LOAD_TIMEOUT_MS = 120_000;

/** `saip models load|unload`: whether a model answers at all, in every process of the API. */
export async function switchModel(io: Io, model: string, load: boolean, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const url = path`/v2/repository/models/${model}/${load ? 'load' : 'unload'}`;
  const switched = await api.post(url, {}, RepositorySwitched, { role: 'admin', timeoutMs: LOAD_TIMEOUT_MS });
  present(io, options, switched, ({ name, versions }) =>
    load
      ? `${name} answers with version ${versions.join(', ')}`
      : `${name} is out of service until saip models load ${name}`,
  );
  return EXIT.ok;
}

/** `saip models served`: what the API that is asked serves. */
export async function listServed(io: Io, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const index = await api.post('/v2/repository/index', {}, RepositoryIndex, { role: 'viewer' });
  present(io, options, index, (entries) => {
    if (entries.length === 0) return 'no alias means a version of any model';
    const rows = entries.map(({ name, version, state, reason }) => [name, version, state.toLowerCase(), reason]);
    return renderTable(['model', 'version', 'state', 'reason'], rows, io);
  });
  return EXIT.ok;
}

/** `saip models stats`: what versions did since the API that is asked started. */
export async function showStatistics(io: Io, model: string | undefined, options: OutputOptions): Promise<ExitCode> {
  const api = await ApiClient.open(io.env);
  const url = model === undefined ? '/v2/models/stats' : path`/v2/models/${model}/stats`;
  const statistics = await api.get(url, StatisticsResponse, { role: 'viewer' });
  present(io, options, statistics, ({ model_stats: all }) => {
    const rows = all.map(({ name, version, last_inference: last, inference_count: count, inference_stats: stats }) => [
      ...[name, version, stats.success.count, stats.fail.count, count],
      ...[mean(stats.success), mean(stats.compute_infer), last === 0 ? '' : formatTime(new Date(last).toISOString())],
    ]);
    return renderTable(['model', 'version', 'answered', 'failed', 'rows', 'ms', 'ms in the graph', 'last'], rows, io);
  });
  return EXIT.ok;
}

function mean({ count, ns }: StatisticDuration): string {
  return count === 0 ? '' : (ns / count / 1e6).toFixed(3);
}

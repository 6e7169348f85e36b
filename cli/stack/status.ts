import { reportStack } from '../../infra/local/index.ts';
import type { ServiceReport, StackReport } from '../../infra/local/index.ts';
import { saipHome } from '../client/stack-file.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { colorsOf } from '../render/colors.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderTable } from '../render/table.ts';
import { formatDuration } from '../render/time.ts';

const MIB = 2 ** 20;

/** @returns 0 when the stack runs and each of its services is healthy, else 1 */
export function status(io: Io, options: OutputOptions): ExitCode {
  const report = reportStack(saipHome(io.env));
  present(io, options, report, (found) => describe(io, found));
  const healthy = report.running && report.services.every(({ state }) => state === 'healthy');
  return healthy ? EXIT.ok : EXIT.failure;
}

function describe(io: Io, { running, services }: StackReport): string {
  if (!running && services.every(({ pid }) => pid === undefined)) return 'The stack is not running: saip up.';
  const table = renderTable(
    ['service', 'state', 'port', 'pid', 'memory', 'uptime', 'restarts', 'url'],
    services.map((service) => [
      service.name,
      coloured(io, service),
      service.port,
      service.pid,
      service.memoryBytes === undefined ? undefined : `${(service.memoryBytes / MIB).toFixed(0)} MiB`,
      service.uptimeSeconds === undefined ? undefined : formatDuration(service.uptimeSeconds * 1000),
      service.restarts,
      service.url,
    ]),
    io,
  );
  const details = services.filter(({ detail }) => detail !== undefined).map(({ name, detail }) => `${name}: ${detail}`);
  const orphaned = running ? [] : ['The supervisor is gone, but processes are left: saip up or saip down ends them.'];
  return [table, ...details, ...orphaned].join('\n');
}

function coloured(io: Io, { state }: ServiceReport): string {
  const colors = colorsOf(io);
  if (state === 'healthy') return colors.green(state);
  return state === 'degraded' || state === 'unhealthy' ? colors.red(state) : colors.yellow(state);
}

import { launch, logFile, readStackState, stackLayout, waitUntilHealthy } from '../../infra/local/index.ts';
import type { ServiceStatus, WaitResult } from '../../infra/local/index.ts';
import { saipHome } from '../client/stack-file.ts';
import { CliError } from '../errors.ts';
import type { Io } from '../io.ts';
import { writeLine } from '../io.ts';
import { colorsOf } from '../render/colors.ts';
import type { OutputOptions } from '../render/output.ts';
import { renderPairs } from '../render/table.ts';
import { LogTail } from './log-tail.ts';

const LOG_LINES = 20;

export interface UpOptions extends OutputOptions {
  /** Services or groups; empty means all. */
  readonly only: readonly string[];
  readonly timeoutMs: number;
}

/** Starts what does not run yet, showing each service as it becomes healthy; on a running stack it only reports. */
export async function up(io: Io, options: UpOptions): Promise<void> {
  const home = saipHome(io.env);
  const { stateFile } = stackLayout(home);
  const say = (text: string): void => {
    if (options.json !== true) writeLine(io.stdout, text);
  };
  const colors = colorsOf(io);
  say('Runtime: embedded (real servers as processes of this machine)');
  const { leftovers, names } = await launch({ home, only: options.only });
  if (leftovers > 0) say(`Ended ${leftovers} processes that an earlier supervisor left behind.`);
  const width = Math.max(...names.map((name) => name.length));
  const line = (mark: string, { name }: ServiceStatus, text: string): void =>
    say(`${mark} ${name.padEnd(width)}  ${text}`);
  const result = await waitUntilHealthy({
    home,
    names,
    timeoutMs: options.timeoutMs,
    onHealthy: (service) => line(colors.green('✓'), service, describe(service)),
    onRestart: (service) => line(colors.yellow('!'), service, `${service.detail ?? 'ended'}; starting it again`),
    onWaiting: (services, seconds) =>
      services.forEach((service) => line('…', service, `${service.state}, ${seconds.toFixed(0)} s so far`)),
  });
  const urls = readStackState(stateFile)?.urls ?? {};
  if (options.json === true) writeLine(io.stdout, JSON.stringify({ ...result, urls }, undefined, 2));
  if (result.outcome !== 'healthy') {
    for (const { name } of result.services.filter(({ restarts }) => restarts > 0)) {
      const last = new LogTail(logFile(stackLayout(home).logs, name)).last(LOG_LINES);
      say(`\nThe end of the log of ${name}:\n${last.map((text) => `  ${text}`).join('\n')}`);
    }
    throw notHealthy(result);
  }
  if (options.only.length === 0) say(`\n${links(urls)}`);
}

function describe(service: ServiceStatus): string {
  const where = service.url ?? (service.port === undefined ? '' : `127.0.0.1:${service.port}`);
  return `${where.padEnd(24)} ${(service.readySeconds ?? 0).toFixed(1)} s`;
}

function links(urls: Readonly<Record<string, string>>): string {
  return renderPairs([
    ['Temporal UI', urls.temporalUi],
    ['MLflow UI', urls.mlflow],
    ['API docs', urls.docs],
  ]);
}

const REASONS: Readonly<Record<Exclude<WaitResult['outcome'], 'healthy'>, string>> = {
  degraded: 'a service crashes at every start',
  timeout: 'not healthy in time',
  'supervisor-gone': 'the supervisor ended',
};

function notHealthy({ outcome, services }: WaitResult): CliError {
  const what = services.map(({ name, state, detail }) => `${name} is ${state}${detail ? ` (${detail})` : ''}`);
  const why = outcome === 'healthy' ? outcome : REASONS[outcome];
  return new CliError(`The stack is not up, ${why}: ${what.join('; ')}.`, {
    code: 'STACK_UNHEALTHY',
    hint: `Look at saip logs ${services[0]?.name ?? 'supervisor'}, then run saip doctor.`,
  });
}

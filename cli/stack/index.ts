import type { Command } from 'commander';
import { collect, wholeNumber, withJson } from '../commands/options.ts';
import { processIo } from '../io.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import type { CleanOptions } from './clean.ts';
import type { LogsOptions } from './logs.ts';
import type { ServeOptions } from './serve.ts';

const DEFAULT_TIMEOUT_S = 300;
const DEFAULT_LINES = 20;

interface UpFlags extends OutputOptions {
  readonly only?: readonly string[];
  readonly timeout: number;
}

/** Adds the commands that work on the embedded stack itself and need no API. */
export function registerStackCommands(program: Command, io: Io = processIo()): void {
  registerRunning(program, io);
  registerLooking(program, io);
  registerServing(program, io);
}

function registerRunning(program: Command, io: Io): void {
  withJson(
    program
      .command('up')
      .description('start the embedded stack and wait until every service is healthy')
      .option(
        '--only <name>',
        'a service or group ("servers", "workers") with what it needs; repeatable',
        collect(String),
      )
      .option('--timeout <seconds>', 'how long to wait', wholeNumber(1), DEFAULT_TIMEOUT_S),
  ).action(async ({ only = [], timeout, json }: UpFlags) => {
    const { up } = await import('./up.ts');
    const names = only.flatMap((value) => value.split(','));
    await up(io, { only: names, timeoutMs: timeout * 1000, json });
  });

  withJson(program.command('down').description('stop the embedded stack; its data stays')).action(
    async (options: OutputOptions) => {
      const { down } = await import('./down.ts');
      await down(io, options);
    },
  );

  withJson(
    program
      .command('clean')
      .description('stop the embedded stack and delete all of its data')
      .option('-y, --yes', 'do not ask'),
  ).action(async (options: CleanOptions) => {
    const { clean } = await import('./clean.ts');
    process.exitCode = await clean(io, options);
  });
}

function registerServing(program: Command, io: Io): void {
  program
    .command('serve')
    .description("run the API here, until Ctrl-C, with the settings of the stack's own one")
    .option('--processes <count>', 'processes that share the port', wholeNumber(1))
    .option('--port <port>', 'another port than the one of the settings', wholeNumber(1))
    .action(async (options: ServeOptions) => {
      const { serve } = await import('./serve.ts');
      process.exitCode = await serve(io, options);
    });
}

function registerLooking(program: Command, io: Io): void {
  withJson(
    program
      .command('status')
      .description('show service, state, port, pid, memory and uptime; exit code 1 if unhealthy'),
  ).action(async (options: OutputOptions) => {
    const { status } = await import('./status.ts');
    process.exitCode = status(io, options);
  });

  withJson(
    program
      .command('logs')
      .argument('[service]', 'one service, or supervisor; default: all')
      .description('show the end of a log, or of every log')
      .option('-f, --follow', 'go on as lines are written')
      .option('-n, --lines <count>', 'lines of each log', wholeNumber(0), DEFAULT_LINES),
  ).action(async (service: string | undefined, options: LogsOptions) => {
    const { logs } = await import('./logs.ts');
    await logs(io, service, options);
  });

  withJson(
    program.command('doctor').description('find what is wrong and say how to mend it; exit code 1 if anything is'),
  ).action(async (options: OutputOptions) => {
    const { doctor } = await import('./doctor.ts');
    process.exitCode = await doctor(io, options);
  });
}

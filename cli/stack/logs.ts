import { readdirSync } from 'node:fs';
import { logFile, stackLayout } from '../../infra/local/index.ts';
import { saipHome } from '../client/stack-file.ts';
import { CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { writeLine } from '../io.ts';
import { LogTail } from './log-tail.ts';

export interface LogsOptions {
  readonly follow?: boolean;
  readonly lines: number;
}

const POLL_MS = 250;

/** Prints the end of one log, or of each; with `follow`, goes on until it is interrupted. */
export async function logs(io: Io, service: string | undefined, options: LogsOptions): Promise<void> {
  const { logs: directory } = stackLayout(saipHome(io.env));
  const known = logNames(directory);
  if (service !== undefined && !known.includes(service)) {
    throw new CliError(`There is no log of ${service}.`, {
      exitCode: EXIT.notFound,
      hint: known.length === 0 ? 'Start the stack: saip up.' : `There are logs of ${known.join(', ')}.`,
    });
  }
  const names = service === undefined ? known : [service];
  const prefix = (name: string): string => (names.length === 1 ? '' : `${name} | `);
  const tails = names.map((name) => ({ name, tail: new LogTail(logFile(directory, name)) }));
  for (const { name, tail } of tails) {
    for (const line of tail.last(options.lines)) writeLine(io.stdout, `${prefix(name)}${line}`);
  }
  if (options.follow !== true) return;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    for (const { name, tail } of tails) {
      for (const line of tail.added()) writeLine(io.stdout, `${prefix(name)}${line}`);
    }
  }
}

function logNames(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((file) => file.endsWith('.log'))
      .map((file) => file.slice(0, -'.log'.length))
      .sort();
  } catch {
    return [];
  }
}

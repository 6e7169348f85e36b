import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { logFile, stackLayout } from '../../infra/local/index.ts';
import { saipHome } from '../client/stack-file.ts';
import { CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { writeLine } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { LogTail } from './log-tail.ts';

export interface LogsOptions extends OutputOptions {
  readonly follow?: boolean;
  readonly lines: number;
}

interface LogLine {
  readonly service: string;
  readonly line: string;
}

const POLL_MS = 250;

/** Prints the end of one log, or of each; with `follow`, goes on until it is interrupted. */
export async function logs(io: Io, service: string | undefined, options: LogsOptions): Promise<void> {
  const { logs: directory } = stackLayout(saipHome(io.env));
  const names = chosenLogs(logNames(directory), service);
  const tails = names.map((name) => ({ name, tail: new LogTail(logFile(directory, name)) }));
  const read = (lines: (tail: LogTail) => string[]): LogLine[] =>
    tails.flatMap(({ name, tail }) => lines(tail).map((line) => ({ service: name, line })));
  const human = ({ service: name, line }: LogLine): string => (names.length === 1 ? line : `${name} | ${line}`);
  const last = read((tail) => tail.last(options.lines));
  if (options.follow !== true) {
    if (last.length > 0 || options.json === true) present(io, options, last, () => last.map(human).join('\n'));
    return;
  }
  // Followed without an end, so in JSON one object a line.
  const format = options.json === true ? (line: LogLine) => JSON.stringify(line) : human;
  for (let lines = last; ; lines = read((tail) => tail.added())) {
    for (const line of lines) writeLine(io.stdout, format(line));
    await delay(POLL_MS);
  }
}

function chosenLogs(known: readonly string[], service: string | undefined): readonly string[] {
  if (service === undefined) return known;
  if (known.includes(service)) return [service];
  throw new CliError(`There is no log of ${service}.`, {
    exitCode: EXIT.notFound,
    hint: known.length === 0 ? 'Start the stack: saip up.' : `There are logs of ${known.join(', ')}.`,
  });
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

import type { Writable } from 'node:stream';

/** Where a command writes to and what the receiving terminal can show. */
export interface Io {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: NodeJS.ProcessEnv;
  /** True where stdout is a terminal that can be repainted. */
  readonly interactive: boolean;
  /** True where stdout may carry ANSI colours. */
  readonly color: boolean;
  /** The same for stderr. */
  readonly errorColor: boolean;
  /** Columns of the terminal, 80 where stdout is none. */
  readonly columns: () => number;
}

const DEFAULT_COLUMNS = 80;

/** See no-color.org: any non-empty value turns colours off. FORCE_COLOR, except "0", turns them on for a pipe. */
export function colorWanted(env: NodeJS.ProcessEnv, isTty: boolean): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '') return env.FORCE_COLOR !== '0';
  return isTty && env.TERM !== 'dumb';
}

/** The terminal of this process. */
export function processIo(): Io {
  const { stdout, stderr, env } = process;
  const isTty = stdout.isTTY === true;
  return {
    stdout,
    stderr,
    env,
    // Some pseudo-terminals have no size; a frame has nowhere to be repainted there.
    interactive: isTty && stdout.rows > 0 && stdout.columns > 0 && env.TERM !== 'dumb' && env.CI === undefined,
    color: colorWanted(env, isTty),
    errorColor: colorWanted(env, Boolean(stderr.isTTY)),
    columns: () => (isTty && stdout.columns > 0 ? stdout.columns : DEFAULT_COLUMNS),
  };
}

export function writeLine(stream: Writable, text: string): void {
  stream.write(`${text}\n`);
}

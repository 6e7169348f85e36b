import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from './environment.ts';
import { exhaustionOf, HeavyError } from './errors.ts';
import type { ChildFailure } from './errors.ts';
import type { ChildMessage, ParentMessage } from './messages.ts';
import { oomKills } from './oom-counter.ts';

export interface RunChildOptions<Report> {
  /** Module of the child; it calls `serveChild`. */
  readonly entry: URL;
  /** Structured-cloned to the child. */
  readonly input: unknown;
  /**
   * Called for each report, one after the other, in the order sent; what it returns answers a child that asked. A
   * rejection kills the child and is what `runChild` rejects with; `runChild` resolves only after the last call did.
   */
  readonly onReport?: (report: Report) => unknown;
  /** One line the child wrote to stdout or stderr. */
  readonly onOutput?: (line: string) => void;
  readonly onStart?: (pid: number) => void;
  /** Aborting kills the child; `runChild` rejects with the signal's reason once the process is gone. */
  readonly signal?: AbortSignal;
  /** Longest time between two messages of the child, in milliseconds. */
  readonly silenceMs?: number;
  /** Added to the few variables a child inherits. */
  readonly env?: Readonly<Record<string, string>>;
  /** Limit of private writable memory in bytes (RLIMIT_DATA, getrlimit(2)): heap, tensors and stacks of the child. */
  readonly memoryBytes?: number;
  /** Keeps the child in the caller's process group: for children of a child, which must die with it. */
  readonly sameGroup?: boolean;
}

/** Two threads of V8 that run out of memory at once tell so, and then each prints its stack. */
const LAST_LINES = 200;

/** A pipe that nobody writes to, handed on within a group: its end tells that the last process of the group ended. */
const LEASH = 4;

/** V8 maps its code range writable at start, which counts against RLIMIT_DATA without being used. */
const CODE_RANGE_BYTES = 512 * 2 ** 20;

/**
 * Runs `entry` in a process of its own, in a process group of its own, and returns what its handler returned.
 *
 * @throws HeavyError with the child's own code; `DEVICE_OUT_OF_MEMORY` when memory ran out, `DISK_FULL` when a
 * disk did; `CHILD_SILENT` after
 * `silenceMs` without a message; `CHILD_CRASHED` for every other end without a result. The whole process group is dead
 * and reaped when the promise settles, so device memory is free by then.
 */
export async function runChild<Result, Report = never>(options: RunChildOptions<Report>): Promise<Result> {
  options.signal?.throwIfAborted();
  const killsBefore = oomKills();
  const child = start(options);
  const lines = collectOutput(child, options.onOutput);
  const outcome = await converse(child, options);
  kill(child, options.sameGroup === true);
  const exit = await outcome.exited;
  if (outcome.stopped !== undefined) throw outcome.stopped.reason;
  if (outcome.failure !== undefined) throw fromFailure(outcome.failure);
  if (outcome.result !== undefined) return outcome.result.value as Result;
  throw fromExit(exit, lines, oomKills() > killsBefore);
}

function start<Report>(options: RunChildOptions<Report>): ChildProcess {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', fileURLToPath(options.entry)];
  // prlimit(1) replaces itself by the command, so pid, group and IPC channel stay the child's.
  const limit =
    options.memoryBytes === undefined ? [] : ['prlimit', `--data=${options.memoryBytes + CODE_RANGE_BYTES}`];
  const [command = process.execPath, ...args] = [...limit, ...node];
  const child = spawn(command, args, {
    detached: options.sameGroup !== true,
    env: childEnvironment(options.env),
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc', options.sameGroup === true ? LEASH : 'pipe'],
  });
  // Read to its end, or `close` would not wait for it.
  const leash = child.stdio[LEASH];
  if (leash instanceof Readable) leash.resume();
  return child;
}

function collectOutput(child: ChildProcess, onOutput: ((line: string) => void) | undefined): string[] {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > LAST_LINES) lines.shift();
      onOutput?.(line);
    });
  }
  return lines;
}

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly spawnError?: Error;
}

interface Conversation {
  readonly exited: Promise<Exit>;
  readonly result?: { readonly value: unknown };
  readonly failure?: ChildFailure;
  /** Why the parent ended it: aborted, silent, or a report was refused. */
  readonly stopped?: { readonly reason: unknown };
}

/** Talks with the child until there is something to return or to throw. */
async function converse<Report>(child: ChildProcess, options: RunChildOptions<Report>): Promise<Conversation> {
  const { onReport, signal, silenceMs = 60_000 } = options;
  const { promise: ended, resolve: end } = Promise.withResolvers<Omit<Conversation, 'exited'>>();
  const exited = exitOf(child);
  let reports: Promise<void> = Promise.resolve();
  let talking = true;
  const silence = setTimeout(() => end({ stopped: { reason: silent(silenceMs) } }), silenceMs);
  // A timer that was cleared would be armed again by a refresh.
  const heard = (): void => void (talking && silence.refresh());
  const onAbort = (): void => end({ stopped: { reason: signal?.reason } });
  signal?.addEventListener('abort', onAbort, { once: true });
  child.on('message', (message: ChildMessage) => {
    heard();
    if (message.kind === 'report') {
      reports = reports.then(async () => {
        const value = await onReport?.(message.value as Report);
        // The time the parent took for this report was not silence of the child.
        heard();
        if (message.id !== undefined) tell(child, { kind: 'answer', id: message.id, value });
      });
      reports.catch((reason: unknown) => end({ stopped: { reason } }));
    } else {
      reports = reports.then(() => end(message.kind === 'result' ? { result: message } : { failure: message.failure }));
    }
  });
  void exited
    .then(() => reports)
    .then(
      () => end({}),
      () => undefined,
    );
  child.once('spawn', () => {
    if (child.pid !== undefined) options.onStart?.(child.pid);
    tell(child, { kind: 'input', value: options.input });
  });
  const conversation = await ended;
  talking = false;
  clearTimeout(silence);
  signal?.removeEventListener('abort', onAbort);
  return { ...conversation, exited };
}

/** Resolves once the process is gone and everything it sent was received. */
function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    const disconnected = new Promise<void>((done) => child.once('disconnect', done));
    child.once('error', (spawnError) => resolve({ code: null, signal: null, spawnError }));
    child.once('close', (code, signal) => void disconnected.then(() => resolve({ code, signal })));
  });
}

function tell(child: ChildProcess, message: ParentMessage): void {
  // A failed send means that the child is gone; its exit tells why.
  if (child.connected) child.send(message, undefined, undefined, () => undefined);
}

/** Ends the process and, where it has a group of its own, everything that it started. */
function kill(child: ChildProcess, sameGroup: boolean): void {
  if (child.pid === undefined) return;
  if (sameGroup) return void child.kill('SIGKILL');
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: the whole group has ended already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function silent(silenceMs: number): HeavyError {
  return new HeavyError('CHILD_SILENT', `the child process reported nothing for ${silenceMs / 1000} s and was killed`);
}

function fromFailure(failure: ChildFailure): HeavyError {
  const cause = new Error(failure.message);
  if (failure.stack !== undefined) cause.stack = failure.stack;
  return new HeavyError(failure.code ?? 'CHILD_CRASHED', failure.message, { cause, field: failure.field });
}

const ENDS = {
  DEVICE_OUT_OF_MEMORY: 'ran out of memory and ended',
  DISK_FULL: 'found the disk full and ended',
  CHILD_CRASHED: 'ended',
} as const;

function fromExit(exit: Exit, lines: readonly string[], oomKilled: boolean): HeavyError {
  if (exit.spawnError !== undefined) {
    return new HeavyError('CHILD_CRASHED', `the child process did not start: ${exit.spawnError.message}`, {
      cause: exit.spawnError,
    });
  }
  const how = exit.signal === null ? `with exit code ${exit.code}` : `by ${exit.signal}`;
  const killed = exit.signal === 'SIGKILL' || exit.code === 137;
  const said = lines.map(exhaustionOf).find((code) => code !== undefined);
  const code = killed && oomKilled ? 'DEVICE_OUT_OF_MEMORY' : (said ?? 'CHILD_CRASHED');
  return new HeavyError(code, `the child process ${ENDS[code]} ${how}`, { cause: new Error(lines.join('\n')) });
}

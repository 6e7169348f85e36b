import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { SERVER_FLAGS } from '../../infra/local/node-flags.ts';
import { AUDIENCE, ISSUER, MODEL, type LoadOrder, type LoadResult, type ServerOrder } from './orders.ts';

const Started = z.object({
  port: z.int(),
  /** Milliseconds of one call of the runtime alone, where the server says so. */
  runMs: z.number().optional(),
  batches: z.boolean().optional(),
});

/** A server of the benchmark, in a process of its own. */
export interface BenchServer extends z.infer<typeof Started> {
  /** Resident set, in bytes. */
  rss(): number;
  /** Processor time so far, in seconds. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

const FOLDER = import.meta.dirname;

export function platformServer(order: ServerOrder): Promise<BenchServer> {
  return nodeServer('platform-server.ts', order);
}

export function bareServer(order: ServerOrder): Promise<BenchServer> {
  return nodeServer('bare-server.ts', order);
}

/** Reads a request and answers with nothing: what is left for everything else. */
export function emptyServer(order: ServerOrder): Promise<BenchServer> {
  return nodeServer('empty-server.ts', order);
}

export function fastApiServer(python: string, order: ServerOrder): Promise<BenchServer> {
  return start(python, [join(FOLDER, 'peer.py')], order);
}

/** With the flags that the API has. */
function nodeServer(file: string, order: ServerOrder): Promise<BenchServer> {
  return start(process.execPath, [...process.execArgv, ...SERVER_FLAGS, join(FOLDER, file)], order);
}

async function start(file: string, args: readonly string[], order: ServerOrder): Promise<BenchServer> {
  const told = JSON.stringify({ ...order, audience: AUDIENCE, issuer: ISSUER, name: MODEL });
  const child = spawn(file, [...args, told], {
    env: { ...process.env, NODE_ENV: 'production', OMP_NUM_THREADS: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, 'line'), ended(child)])) as [string];
  return {
    ...Started.parse(JSON.parse(line)),
    rss: () => residentSet(child),
    cpuSeconds: () => cpuTime(child),
    stop: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

async function ended(child: ChildProcess): Promise<never> {
  const [code] = (await once(child, 'exit')) as [number | null];
  throw new Error(`a server of the benchmark ended with ${String(code)}`);
}

function residentSet({ pid = 0 }: ChildProcess): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

/** User and system time: fields 14 and 15 of proc_pid_stat(5), in ticks of a hundredth of a second. */
function cpuTime({ pid = 0 }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Lets the load generator do one order. @throws Error where an answer was not 200 */
export async function load(order: LoadOrder): Promise<LoadResult> {
  const child = fork(join(FOLDER, 'load.ts'), { execArgv: process.execArgv });
  child.send(order);
  const [result] = (await Promise.race([once(child, 'message'), ended(child)])) as [LoadResult];
  const others = Object.keys(result.statuses).filter((status) => status !== '200');
  if (others.length > 0 || result.count === 0) {
    throw new Error(`not every answer was 200: ${JSON.stringify(result.statuses)}`);
  }
  return result;
}

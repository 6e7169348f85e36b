import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../exit-codes.ts';
import type { Io } from '../io.ts';

/** A program of its own: benchmarks may use whatever they compare with, the command line may not. */
const MAIN = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));

/** `saip bench`. @returns the exit code of the benchmarks */
export async function bench(io: Io, suites: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, MAIN, ...suites], {
    env: io.env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? EXIT.failure;
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { SERVER_FLAGS, stackLayout } from '../../infra/local/index.ts';
import { saipHome } from '../client/stack-file.ts';
import { EXIT } from '../exit-codes.ts';
import type { Io } from '../io.ts';

const MAIN = fileURLToPath(new URL('../../api/main.ts', import.meta.url));

export interface ServeOptions {
  readonly processes?: number;
  readonly port?: number;
}

/**
 * Runs the API in the foreground until it is told to stop, with the settings of the stack's own API where there is a
 * stack; what the environment says wins. @returns its exit code
 */
export async function serve(io: Io, { processes, port }: ServeOptions): Promise<number> {
  const env = {
    NODE_ENV: 'production',
    ...stackSettings(io.env),
    ...io.env,
    ...(processes !== undefined && { SAIP_API_PROCESSES: String(processes) }),
    ...(port !== undefined && { SAIP_API_PORT: String(port) }),
  };
  const child = spawn(process.execPath, [...process.execArgv, ...SERVER_FLAGS, MAIN], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? EXIT.failure;
}

function stackSettings(env: NodeJS.ProcessEnv): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(join(stackLayout(saipHome(env)).env, 'api.env'), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const MAIN = join(import.meta.dirname, '../../../cli/main.ts');

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningSaip {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Waits until stderr holds this text. */
  readonly said: (expected: string) => Promise<void>;
}

export interface SaipOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  readonly nodeArgs?: readonly string[];
}

/** Starts the real command line in a process of its own, with its output in pipes and no environment but `env`. */
export function startSaip(args: readonly string[], options: SaipOptions = {}): RunningSaip {
  const child = spawn(process.execPath, [...(options.nodeArgs ?? []), MAIN, ...args], {
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(options.stdin ?? '');
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  return {
    child,
    finished: Promise.all([text(child.stdout), ended]).then(([stdout, code]) => ({ code, stdout, stderr: errors })),
    said: async (expected) => {
      while (!errors.includes(expected)) {
        if (child.exitCode !== null) throw new Error(`saip ended without saying ${expected}: ${errors}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}

export function saip(args: readonly string[], options: SaipOptions = {}): Promise<Finished> {
  return startSaip(args, options).finished;
}

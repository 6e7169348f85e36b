import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

/** A person who watches hears something at least this often. */
const REMINDER_MS = 8_000;

export interface RunOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** `show` passes the output through as it comes; `collect` returns it. */
  readonly output: 'show' | 'collect';
}

export interface RunResult {
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
}

/** Runs a command with the tools of this checkout on its path. A signal counts as exit code 1. */
export function runCommand({ name, command, args, output }: RunOptions): Promise<RunResult> {
  const started = Date.now();
  const seconds = (): number => (Date.now() - started) / 1000;
  let lastOutput = started;
  const child = spawn(command, args, {
    cwd: ROOT,
    env: {
      NODE_COMPILE_CACHE: join(ROOT, '.saip', 'compile-cache'),
      ...process.env,
      PATH: [join(ROOT, 'node_modules/.bin'), dirname(process.execPath), process.env.PATH].join(':'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      lastOutput = Date.now();
      if (output === 'show') process.stdout.write(chunk);
      else chunks.push(chunk);
    });
  }
  const reminder = setInterval(() => {
    if (output === 'show' && Date.now() - lastOutput < REMINDER_MS) return;
    console.log(`  … ${name}, ${seconds().toFixed(0)} s`);
  }, REMINDER_MS);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString(), seconds: seconds() }),
    );
  }).finally(() => clearInterval(reminder)) as Promise<RunResult>;
}

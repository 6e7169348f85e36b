import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadToolchain } from '../infra/local/toolchain.ts';

const PYTHON = process.env['PYTHON'] ?? 'python3';

export interface PeerEnvironment {
  /** Of the suite. */
  readonly name: string;
  /** Requirements with hashes. */
  readonly lock: string;
  /** What is installed, and how large it is. */
  readonly what: string;
}

/**
 * The interpreter of an environment for the other side of a comparison, made in the cache on first use. Nothing outside
 * the benchmark uses it.
 */
export function peerPython({ name, lock, what }: PeerEnvironment, say: (line: string) => void): string {
  const key = createHash('sha256').update(readFileSync(lock)).digest('hex').slice(0, 16);
  const folder = join(loadToolchain().cache, `peer-${name}-${key}`);
  const python = join(folder, 'bin', 'python');
  const complete = join(folder, '.complete');
  if (existsSync(complete)) return python;
  say(`installing ${what} for the comparison, once`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  execFileSync(PYTHON, ['-m', 'venv', folder], { stdio: 'inherit' });
  const options = ['--quiet', '--no-input', '--no-cache-dir', '--disable-pip-version-check'];
  const install = ['-m', 'pip', 'install', ...options, '--require-hashes', '--only-binary', ':all:', '-r', lock];
  execFileSync(python, install, { stdio: 'inherit' });
  writeFileSync(complete, '');
  return python;
}

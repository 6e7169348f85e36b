import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadToolchain } from '../../infra/local/toolchain.ts';

const LOCK = join(import.meta.dirname, 'requirements.lock');
const PYTHON = process.env['PYTHON'] ?? 'python3';

/**
 * The interpreter of an environment with PyTorch alone, made in the cache on first use (about 5 GB, as the wheel for
 * this platform names the GPU libraries as requirements). Nothing outside the benchmark uses it.
 */
export function peerPython(say: (line: string) => void): string {
  const key = createHash('sha256').update(readFileSync(LOCK)).digest('hex').slice(0, 16);
  const folder = join(loadToolchain().cache, `peer-training-${key}`);
  const python = join(folder, 'bin', 'python');
  const complete = join(folder, '.complete');
  if (existsSync(complete)) return python;
  say('installing PyTorch for the comparison, about 5 GB, once');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  execFileSync(PYTHON, ['-m', 'venv', folder], { stdio: 'inherit' });
  const options = ['--quiet', '--no-input', '--no-cache-dir', '--disable-pip-version-check'];
  const install = ['-m', 'pip', 'install', ...options, '--require-hashes', '--only-binary', ':all:', '-r', LOCK];
  execFileSync(python, install, { stdio: 'inherit' });
  writeFileSync(complete, '');
  return python;
}

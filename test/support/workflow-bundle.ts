import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CHECKOUT } from '../../infra/local/toolchain.ts';

/**
 * The workflow bundle, built in a process of its own: webpack inside Jest's module system takes ten times as long. It is
 * kept in the checkout's state directory and built again when the sources change.
 */
export async function testBundle(): Promise<{ codePath: string }> {
  const directory = join(CHECKOUT, '.saip', 'cache', 'workflows');
  const { stdout } = await promisify(execFile)(process.execPath, [join(CHECKOUT, 'workers', 'build.ts'), directory]);
  return { codePath: stdout.trim().split('\n').at(-1) ?? '' };
}

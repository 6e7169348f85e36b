import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import type { PlatformProcess } from '../../infra/local/environment.ts';
import { TEST_HOME } from './stack-process.ts';

/** State directory of the stack that the global set-up started. */
export function testHome(): string {
  const home = process.env[TEST_HOME];
  if (home === undefined) throw new Error('no test stack: name the test *.int.test.ts');
  return home;
}

/** The configuration with which the stack would start this process; a test stands in for it, with its login. */
export function stackEnv(process: PlatformProcess): Record<string, string> {
  return parseEnv(readFileSync(join(testHome(), 'env', `${process}.env`), 'utf8')) as Record<string, string>;
}

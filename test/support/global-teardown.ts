import { TEST_HOME, isOwnTestStack } from './stack-process.ts';
import { removeStack } from '../../infra/local/index.ts';
import { rm } from 'node:fs/promises';

/** Stops what the global set-up started; a stack that the caller brought is left alone. */
export default async function globalTeardown(): Promise<void> {
  const home = process.env[TEST_HOME];
  if (home === undefined || !isOwnTestStack(home)) return;
  await removeStack(home);
  await rm(home, { recursive: true, force: true });
}

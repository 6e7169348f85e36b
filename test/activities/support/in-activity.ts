import type { Info } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

/** Attempts that are meant to fail would fill the output. */
const logger = new DefaultLogger('ERROR', () => undefined);

/** Runs an activity in a context of its own, as a worker would. */
export function inActivity<A, R>(
  activity: (argument: A) => Promise<R>,
  argument: A,
  info: Partial<Info> = {},
): Promise<R> {
  return new MockActivityEnvironment(info, { logger }).run<[A], R, typeof activity>(activity, argument);
}

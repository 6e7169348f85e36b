import { randomUUID } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import pRetry from 'p-retry';
import { SEARCH_ATTRIBUTES } from '../../../contracts/queues.ts';
import { stackEnv } from '../../support/stack.ts';

/** `IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD` of Temporal's API. */
const KEYWORD = 2;

/** A Temporal namespace of the test's own, so that no worker of another test takes its tasks. */
export async function createNamespace(): Promise<string> {
  const connection = await Connection.connect({ address: stackEnv('api')['TEMPORAL_ADDRESS'] });
  const namespace = `test-${randomUUID()}`;
  const searchAttributes = Object.fromEntries(Object.keys(SEARCH_ATTRIBUTES).map((name) => [name, KEYWORD]));
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    });
    // The server learns of a new namespace a moment later.
    await pRetry(() => connection.operatorService.addSearchAttributes({ namespace, searchAttributes }), {
      minTimeout: 50,
      factor: 1.5,
    });
  } finally {
    await connection.close();
  }
  return namespace;
}

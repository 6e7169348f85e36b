import { dirname, join } from 'node:path';
import type { Client } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { SEARCH_ATTRIBUTES, TASK_QUEUES } from '../../../contracts/queues.ts';
import { loadToolchain } from '../../../infra/local/toolchain.ts';
import { failureInterceptor } from '../../../workers/shared/failures.ts';
import { FAILURE_CONVERTER } from '../../../workers/shared/bundle.ts';
import { spanSink } from '../../../workers/shared/spans.ts';
import { testBundle } from '../../support/workflow-bundle.ts';
import { World } from './world.ts';
import type { AllActivities } from './world.ts';

/** A Temporal server that skips over waiting, and workers for every queue. */
export interface WorkflowTest {
  readonly client: Client;
  /** What the workers' activities do from now on. */
  use(activities: AllActivities): void;
  close(): Promise<void>;
}

const QUIET = new DefaultLogger('ERROR', () => undefined);

/** `IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD` of Temporal's API. */
const KEYWORD = 2;

export async function startWorkflowTest(): Promise<WorkflowTest> {
  Runtime.install({ logger: QUIET, telemetryOptions: { logging: { forward: {}, filter: 'OFF' } } });
  const path = join(dirname(loadToolchain().temporal), 'temporal-test-server');
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
  });
  await environment.connection.operatorService.addSearchAttributes({
    namespace: environment.namespace ?? 'default',
    searchAttributes: Object.fromEntries(Object.keys(SEARCH_ATTRIBUTES).map((name) => [name, KEYWORD])),
  });
  const bundle = await testBundle();
  let current: AllActivities | undefined;
  // Workers live as long as the test file: starting them costs more than a whole workflow.
  const activities = Object.fromEntries(
    Object.keys(new World().activities()).map((name) => [
      name,
      (argument: never) => (current?.[name as keyof AllActivities] as (a: never) => unknown)(argument),
    ]),
  );
  const worker = (taskQueue: string, options: { activities?: object; workflowBundle?: { codePath: string } }) =>
    Worker.create({
      connection: environment.nativeConnection,
      taskQueue,
      dataConverter: { failureConverterPath: FAILURE_CONVERTER },
      sinks: spanSink({ enabled: false, recordSpan: () => undefined }),
      // Activities hear of a cancellation when they heartbeat.
      maxHeartbeatThrottleInterval: '20ms',
      interceptors: { activity: [() => ({ inbound: failureInterceptor })] },
      ...options,
    });
  const workers = await Promise.all([
    worker(TASK_QUEUES.orchestration, { workflowBundle: bundle }),
    ...[TASK_QUEUES.cpu, TASK_QUEUES.gpu, TASK_QUEUES.release, TASK_QUEUES.agents].map((queue) =>
      worker(queue, { activities }),
    ),
  ]);
  const running = Promise.all(workers.map((one) => one.run()));
  return {
    client: environment.client,
    use(replacement) {
      current = replacement;
    },
    async close() {
      for (const one of workers) one.shutdown();
      await running;
      await environment.teardown();
      await Runtime.instance().shutdown();
    },
  };
}

import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { WorkerOptions } from '@temporalio/worker';
import { TASK_QUEUES } from '../../../contracts/queues.ts';
import { Keyring, createPayloadCodec, transitWrapper } from '../../../lib/codec/index.ts';
import { dataConverter } from '../../../workers/shared/data-converter.ts';
import { failureInterceptor } from '../../../workers/shared/failures.ts';
import { spanSink } from '../../../workers/shared/spans.ts';
import { stackBao } from '../../support/stack-bao.ts';
import { stackEnv } from '../../support/stack.ts';
import { testBundle } from '../../support/workflow-bundle.ts';
import type { AllActivities } from '../../workflows/support/world.ts';

export interface TestWorkers {
  /** What the activities do from now on. */
  use(activities: AllActivities): void;
  /** Ends every worker. */
  stop(): Promise<void>;
}

const QUIET = new DefaultLogger('ERROR', () => undefined);

/** The platform's workflows on the stack's Temporal server, with payloads encrypted by the stack's keys. */
export async function startWorkers(namespace: string, activities: AllActivities): Promise<TestWorkers> {
  Runtime.install({ logger: QUIET, telemetryOptions: { logging: { forward: {}, filter: 'OFF' } } });
  const bao = stackBao('worker-orchestration');
  const codec = createPayloadCodec({ keyring: new Keyring({ wrapper: transitWrapper(bao) }) });
  const connection = await NativeConnection.connect({ address: stackEnv('api')['TEMPORAL_ADDRESS'] });
  let current = activities;
  const delegates = Object.fromEntries(
    Object.keys(activities).map((name) => [
      name,
      (argument: never) => (current[name as keyof AllActivities] as (a: never) => unknown)(argument),
    ]),
  );
  const common: Omit<WorkerOptions, 'taskQueue'> = {
    connection,
    namespace,
    dataConverter: dataConverter(codec),
    maxHeartbeatThrottleInterval: '20ms',
    interceptors: { activity: [() => ({ inbound: failureInterceptor })] },
  };
  const workers = await Promise.all([
    Worker.create({
      ...common,
      taskQueue: TASK_QUEUES.orchestration,
      workflowBundle: await testBundle(),
      sinks: spanSink({ enabled: false, recordSpan: () => undefined }),
    }),
    ...[TASK_QUEUES.cpu, TASK_QUEUES.gpu, TASK_QUEUES.release].map((taskQueue) =>
      Worker.create({ ...common, taskQueue, activities: delegates }),
    ),
  ]);
  const running = Promise.all(workers.map((worker) => worker.run()));
  return {
    use: (replacement) => {
      current = replacement;
    },
    stop: async () => {
      for (const worker of workers) worker.shutdown();
      await running;
      await connection.close();
      await bao.close();
      await Runtime.instance().shutdown();
    },
  };
}

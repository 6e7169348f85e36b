import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { TASK_QUEUES } from '../../contracts/queues.ts';
import { loadToolchain } from '../../infra/local/toolchain.ts';
import { releaseAbandoned, workerIdentity } from '../../workers/shared/predecessors.ts';

const NAMESPACE = 'default';
const MINUTES = 60_000;

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'existing-path', path: loadToolchain().temporal } },
  });
}, MINUTES);
afterAll(() => environment.teardown(), MINUTES);

/** A workflow that waits for one activity which the worker of this identity has begun. */
async function begunBy(identity: string): Promise<string> {
  const { workflowService } = environment.connection;
  const workflowId = randomUUID();
  const queue = { name: `q-${workflowId}` };
  await workflowService.startWorkflowExecution({
    namespace: NAMESPACE,
    workflowId,
    requestId: randomUUID(),
    workflowType: { name: 'waits' },
    taskQueue: queue,
  });
  const { taskToken } = await soon(() =>
    workflowService.pollWorkflowTaskQueue({ namespace: NAMESPACE, taskQueue: queue }),
  );
  await workflowService.respondWorkflowTaskCompleted({
    namespace: NAMESPACE,
    taskToken,
    commands: [
      {
        // COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK
        commandType: 1,
        scheduleActivityTaskCommandAttributes: {
          activityId: '1',
          activityType: { name: TASK_QUEUES.gpu },
          taskQueue: queue,
          startToCloseTimeout: { seconds: 3600 as never },
        },
      },
    ],
  });
  await soon(() => workflowService.pollActivityTaskQueue({ namespace: NAMESPACE, taskQueue: queue, identity }));
  return workflowId;
}

/** Long polls are refused without a time limit. */
function soon<T>(poll: () => Promise<T>): Promise<T> {
  return environment.connection.withDeadline(Date.now() + MINUTES, poll);
}

async function attempts(workflowId: string): Promise<number | null | undefined> {
  const { workflowService } = environment.connection;
  const answer = await workflowService.describeWorkflowExecution({ namespace: NAMESPACE, execution: { workflowId } });
  return answer.pendingActivities?.[0]?.attempt;
}

describe('a worker that starts', () => {
  it(
    'hands back what a dead one of its name on this machine had begun, and nothing else',
    async () => {
      const { pid: dead } = spawnSync('true');
      const abandoned = await begunBy(workerIdentity('worker-gpu', dead));
      const others = [
        await begunBy(workerIdentity('worker-cpu', dead)),
        await begunBy(workerIdentity('worker-gpu', process.ppid)),
        await begunBy(`worker-gpu@elsewhere/${dead}`),
      ];
      const { workflowService: service } = environment.connection;
      const release = (): Promise<number> => releaseAbandoned({ service, namespace: NAMESPACE, process: 'worker-gpu' });
      // What is open is found by the visibility store, which learns of a start a moment later.
      let released = await release();
      while (released === 0) released = await release();
      expect(released).toBe(1);
      expect(await attempts(abandoned)).toBe(2);
      expect(await Promise.all(others.map(attempts))).toEqual([1, 1, 1]);
    },
    2 * MINUTES,
  );
});

import { hostname } from 'node:os';
import type { NativeConnection } from '@temporalio/worker';
import { SaipError, failureOptions } from '../../contracts/errors.ts';

/** `PendingActivityState` of Temporal's API. */
const STARTED = 2;
const CANCEL_REQUESTED = 3;
const BEGUN = [STARTED, CANCEL_REQUESTED];

const PAGE = 100;
/** Workflows described at the same time. */
const CONCURRENCY = 8;

export type WorkflowService = Pick<
  NativeConnection['workflowService'],
  | 'listWorkflowExecutions'
  | 'describeWorkflowExecution'
  | 'respondActivityTaskFailedById'
  | 'respondActivityTaskCanceledById'
>;

export interface PredecessorOptions {
  readonly service: WorkflowService;
  readonly namespace: string;
  /** Name of this process, e.g. `worker-gpu`. */
  readonly process: string;
}

/** How a worker calls itself; {@link releaseAbandoned} reads it back. */
export function workerIdentity(name: string, pid: number = process.pid): string {
  return `${name}@${hostname()}/${pid}`;
}

/**
 * Hands back what earlier processes of this worker had begun when they were killed, so that it is tried again now and
 * not when its heartbeat is overdue. Only processes of this machine count, of which it is certain that they are dead.
 * Call it before the worker polls.
 * @returns how many attempts were handed back
 */
export async function releaseAbandoned(options: PredecessorOptions): Promise<number> {
  let released = 0;
  for await (const page of openWorkflows(options)) {
    for (let at = 0; at < page.length; at += CONCURRENCY) {
      const counts = await Promise.all(page.slice(at, at + CONCURRENCY).map((one) => releaseIn(options, one)));
      released += counts.reduce((sum, count) => sum + count, 0);
    }
  }
  return released;
}

interface Execution {
  readonly workflowId: string;
  readonly runId: string;
}

async function* openWorkflows({ service, namespace }: PredecessorOptions): AsyncGenerator<Execution[]> {
  let nextPageToken: Uint8Array | null | undefined;
  do {
    const query = 'ExecutionStatus = "Running"';
    const page = await service.listWorkflowExecutions({ namespace, query, pageSize: PAGE, nextPageToken });
    yield page.executions.flatMap(({ execution }) =>
      execution?.workflowId && execution.runId ? [{ workflowId: execution.workflowId, runId: execution.runId }] : [],
    );
    ({ nextPageToken } = page);
  } while (nextPageToken && nextPageToken.length > 0);
}

async function releaseIn(options: PredecessorOptions, execution: Execution): Promise<number> {
  const { service, namespace } = options;
  const { pendingActivities } = await service.describeWorkflowExecution({ namespace, execution });
  const abandoned = (pendingActivities ?? []).filter(
    ({ state, lastWorkerIdentity }) =>
      BEGUN.includes(Number(state)) && isDead(options.process, lastWorkerIdentity ?? ''),
  );
  for (const { activityId, state, lastWorkerIdentity } of abandoned) {
    const attempt = { namespace, ...execution, activityId, identity: workerIdentity(options.process) };
    if (Number(state) === CANCEL_REQUESTED) await service.respondActivityTaskCanceledById(attempt);
    else await service.respondActivityTaskFailedById({ ...attempt, failure: lost(lastWorkerIdentity ?? '') });
  }
  return abandoned.length;
}

/** Under this process's own identity nothing can have been begun yet: a container's first process has always id 1. */
function isDead(name: string, identity: string): boolean {
  const prefix = workerIdentity(name, 0).slice(0, -1);
  if (!identity.startsWith(prefix)) return false;
  const pid = Number(identity.slice(prefix.length));
  return pid === process.pid || !isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, under another user.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function lost(identity: string): object {
  const { type, message, nonRetryable } = failureOptions(
    new SaipError('WORKER_LOST', `The worker ${identity} ended in the middle of this attempt.`),
  );
  return { message, source: 'saip', applicationFailureInfo: { type, nonRetryable } };
}

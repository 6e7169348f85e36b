import { createHash, randomBytes } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError, type WorkflowExecutionDescription } from '@temporalio/client';
import canonicalize from 'canonicalize';
import type { WorkflowStarted } from '../../contracts/api.ts';
import { SEARCH_ATTRIBUTES } from '../../contracts/queues.ts';
import type { WorkflowStart } from '../../contracts/workflows.ts';
import { ApiError } from '../errors.ts';
import type { TemporalGateway } from './gateway.ts';
import { workflowLinks } from './links.ts';

/** Who asks for a start, and with which key. */
export interface Idempotency {
  /** Header `Idempotency-Key`; without one every request is a new one. */
  readonly key: string | undefined;
  /** A key belongs to the subject that chose it. */
  readonly subject: string;
  /** The validated body. */
  readonly body: unknown;
}

export interface StartRequest {
  readonly start: WorkflowStart;
  readonly input: unknown;
  readonly idempotency: Idempotency;
}

/** What a start leaves in the memo, so that a repetition is recognised after the execution ended, too. */
interface StartMemo extends Record<string, unknown> {
  readonly requestKey: string;
  readonly requestSha256: string;
}

/**
 * Starts an execution whose id derives from the idempotency key, at most once.
 * @throws {ApiError} `IDEMPOTENCY_MISMATCH` when the key was used with another body
 */
export async function startOnce(
  gateway: TemporalGateway,
  prefix: string,
  request: StartRequest,
): Promise<WorkflowStarted> {
  const memo = startMemo(request);
  const workflowId = `${prefix}-${memo.requestKey.slice(0, 24)}`;
  try {
    return await start(gateway, workflowId, request, memo, 'REJECT_DUPLICATE');
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const description = await describe(gateway, workflowId);
    if (description?.memo?.['requestSha256'] !== memo.requestSha256) throw mismatch();
    return started(gateway, description);
  }
}

/**
 * Starts an execution under a fixed id that is a lock: a second one is refused while the first runs. A repetition with
 * the same key finds the execution it started, as long as that is among the last ones of this id.
 * @param busy the code that says that one runs
 * @throws {ApiError} `busy`, `IDEMPOTENCY_MISMATCH`
 */
export async function startLocked(
  gateway: TemporalGateway,
  workflowId: string,
  request: StartRequest,
  busy: 'ROLLOUT_IN_PROGRESS' | 'RELEASE_IN_PROGRESS' = 'ROLLOUT_IN_PROGRESS',
): Promise<WorkflowStarted> {
  const memo = startMemo(request);
  if (request.idempotency.key !== undefined) {
    const before = await findByKey(gateway, workflowId, memo.requestKey);
    if (before) {
      if (before.memo?.['requestSha256'] !== memo.requestSha256) throw mismatch();
      return started(gateway, before);
    }
  }
  try {
    return await start(gateway, workflowId, request, memo, 'ALLOW_DUPLICATE');
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new ApiError(busy, `${workflowId} is running already.`, { cause: error });
  }
}

async function start(
  gateway: TemporalGateway,
  workflowId: string,
  { start: spec, input }: StartRequest,
  memo: StartMemo,
  reuse: 'REJECT_DUPLICATE' | 'ALLOW_DUPLICATE',
): Promise<WorkflowStarted> {
  const handle = await gateway.call({ kind: 'workflow', id: workflowId }, () =>
    gateway.client.workflow.start(spec.workflowType, {
      workflowId,
      taskQueue: spec.taskQueue,
      args: [input],
      workflowIdReusePolicy: reuse,
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: spec.staticSummary,
      staticDetails: spec.staticDetails,
      typedSearchAttributes: searchAttributePairs(spec),
      priority: spec.priority,
      memo,
    }),
  );
  const runId = handle.firstExecutionRunId;
  return { workflowId, runId, links: workflowLinks({ workflowId, runId }, gateway) };
}

export function searchAttributePairs(
  spec: Pick<WorkflowStart, 'searchAttributes'>,
): { key: { name: string; type: 'KEYWORD' }; value: string }[] {
  return (Object.keys(SEARCH_ATTRIBUTES) as (keyof typeof SEARCH_ATTRIBUTES)[]).flatMap((name) => {
    const value = spec.searchAttributes[name];
    return value === undefined ? [] : [{ key: { name, type: 'KEYWORD' as const }, value }];
  });
}

function startMemo({ start: spec, idempotency }: StartRequest): StartMemo {
  const { key, subject, body } = idempotency;
  const requestKey = key === undefined ? randomBytes(32).toString('hex') : sha256([spec.workflowType, subject, key]);
  return { requestKey, requestSha256: sha256([spec.workflowType, body]) };
}

/** Hash of the canonical JSON (RFC 8785), so that the order of a body's members does not matter. */
function sha256(value: unknown): string {
  return createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('hex');
}

function mismatch(): ApiError {
  return new ApiError('IDEMPOTENCY_MISMATCH', 'This Idempotency-Key was used for another request.', {
    field: 'header.idempotency-key',
  });
}

function started(gateway: TemporalGateway, { workflowId, raw, runId }: WorkflowExecutionDescription): WorkflowStarted {
  const first = raw.workflowExecutionInfo?.firstRunId ?? runId;
  return { workflowId, runId: first, links: workflowLinks({ workflowId, runId: first }, gateway) };
}

async function findByKey(
  gateway: TemporalGateway,
  workflowId: string,
  requestKey: string,
): Promise<WorkflowExecutionDescription | undefined> {
  const { executions } = await gateway.call(undefined, () =>
    gateway.client.workflowService.listWorkflowExecutions({
      namespace: gateway.namespace,
      pageSize: 20,
      query: `WorkflowId = '${workflowId}'`,
    }),
  );
  // The newest one is asked for by id, because visibility lags behind.
  const runs = [undefined, ...executions.map(({ execution }) => execution?.runId ?? undefined)];
  for (const runId of runs) {
    const description = await describe(gateway, workflowId, runId);
    if (description?.memo?.['requestKey'] === requestKey) return description;
  }
  return undefined;
}

async function describe(
  gateway: TemporalGateway,
  workflowId: string,
  runId?: string,
): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await gateway.call({ kind: 'workflow', id: workflowId }, () =>
      gateway.client.workflow.getHandle(workflowId, runId).describe(),
    );
  } catch (error) {
    if (error instanceof ApiError && error.code === 'WORKFLOW_UNKNOWN') return undefined;
    throw error;
  }
}

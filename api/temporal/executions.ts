import { defaultPayloadConverter, type WorkflowExecutionDescription } from '@temporalio/client';
import { WorkflowType, type WorkflowList, type WorkflowStatus, type WorkflowSummary } from '../../contracts/api.ts';
import type { SEARCH_ATTRIBUTES } from '../../contracts/queues.ts';
import { ApiError } from '../errors.ts';
import type { TemporalGateway } from './gateway.ts';
import { workflowLinks } from './links.ts';

export interface ListRequest {
  readonly type?: WorkflowType;
  readonly status?: WorkflowStatus;
  readonly model?: string;
  readonly pageToken?: string;
  readonly limit: number;
  /** Only executions of this tenant are shown. */
  readonly tenant: string;
}

export type RawExecution = NonNullable<
  Awaited<ReturnType<TemporalGateway['client']['workflowService']['listWorkflowExecutions']>>['executions']
>[number];

/** Names of the enumeration `WorkflowExecutionStatus` in visibility queries, and its numbers on the wire. */
const STATUSES: Readonly<Record<WorkflowStatus, { name: string; code: number }>> = {
  running: { name: 'Running', code: 1 },
  completed: { name: 'Completed', code: 2 },
  failed: { name: 'Failed', code: 3 },
  cancelled: { name: 'Canceled', code: 4 },
  terminated: { name: 'Terminated', code: 5 },
  'continued-as-new': { name: 'ContinuedAsNew', code: 6 },
  'timed-out': { name: 'TimedOut', code: 7 },
  paused: { name: 'Paused', code: 8 },
};

/** One page of executions in the order of Temporal's visibility store: open ones first, then the last to end. */
export async function listExecutions(gateway: TemporalGateway, request: ListRequest): Promise<WorkflowList> {
  const { executions, nextPageToken } = await gateway.call(undefined, () =>
    gateway.client.workflowService.listWorkflowExecutions({
      namespace: gateway.namespace,
      pageSize: request.limit,
      nextPageToken: decodeToken(request.pageToken),
      query: visibilityQuery(request),
    }),
  );
  const workflows = executions
    .filter((execution) => tenantOf(execution) === request.tenant)
    .map((execution) => summarize(execution, gateway));
  return nextPageToken.length === 0
    ? { workflows }
    : { workflows, nextPageToken: Buffer.from(nextPageToken).toString('base64url') };
}

/**
 * @throws {ApiError} `WORKFLOW_UNKNOWN` also for executions that are not of this platform's types, such as the
 *   scheduler's own
 */
export async function describeExecution(
  gateway: TemporalGateway,
  workflowId: string,
): Promise<WorkflowExecutionDescription> {
  const description = await gateway.call({ kind: 'workflow', id: workflowId }, () =>
    gateway.client.workflow.getHandle(workflowId).describe(),
  );
  if (!WorkflowType.safeParse(description.type).success) {
    throw new ApiError('WORKFLOW_UNKNOWN', `There is no open or kept workflow ${workflowId}.`);
  }
  return description;
}

export function summarize(execution: RawExecution, gateway: TemporalGateway): WorkflowSummary {
  const workflowId = execution.execution?.workflowId ?? '';
  const runId = execution.execution?.runId ?? '';
  const attributes = execution.searchAttributes?.indexedFields;
  const keyword = (name: keyof typeof SEARCH_ATTRIBUTES): string | undefined => {
    const payload = attributes?.[name];
    const value: unknown = payload ? defaultPayloadConverter.fromPayload(payload) : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  return {
    workflowId,
    runId,
    type: execution.type?.name ?? '',
    status: statusOf(execution),
    startedAt: isoTime(execution.startTime) ?? new Date(0).toISOString(),
    closedAt: isoTime(execution.closeTime),
    model: keyword('SaipModel'),
    dataset: keyword('SaipDataset'),
    stage: keyword('SaipStage'),
    requestedBy: keyword('SaipRequestedBy'),
    links: workflowLinks({ workflowId, runId }, gateway),
  };
}

/** Every start sets the tenant as its fairness key. */
export function tenantOf(execution: RawExecution): string {
  const tenant = execution.priority?.fairnessKey;
  return tenant === undefined || tenant === null || tenant === '' ? 'default' : tenant;
}

interface ProtoTimestamp {
  readonly seconds?: { toString(): string } | null;
  readonly nanos?: number | null;
}

/** ISO 8601 of a protobuf timestamp. */
export function isoTime(timestamp: ProtoTimestamp | null | undefined): string | undefined {
  if (!timestamp?.seconds) return undefined;
  return new Date(Number(timestamp.seconds.toString()) * 1000 + (timestamp.nanos ?? 0) / 1e6).toISOString();
}

function statusOf(execution: RawExecution): WorkflowStatus {
  const entry = Object.entries(STATUSES).find(([, { code }]) => code === Number(execution.status));
  return (entry?.[0] ?? 'running') as WorkflowStatus;
}

/** Values come from closed sets or match `Name`, so none of them can hold a quote. */
function visibilityQuery({ type, status, model }: ListRequest): string {
  const types = type === undefined ? WorkflowType.options : [type];
  const clauses = [`WorkflowType IN (${types.map((name) => `'${name}'`).join(', ')})`];
  if (status !== undefined) clauses.push(`ExecutionStatus = '${STATUSES[status].name}'`);
  if (model !== undefined) clauses.push(`SaipModel = '${model}'`);
  return clauses.join(' AND ');
}

function decodeToken(token: string | undefined): Uint8Array | undefined {
  if (token === undefined) return undefined;
  if (!/^[A-Za-z0-9_-]+$/.test(token)) {
    throw new ApiError('REQUEST_INVALID', 'This page token is none of ours.', { field: 'query.pageToken' });
  }
  return Buffer.from(token, 'base64url');
}

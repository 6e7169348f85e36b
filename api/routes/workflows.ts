import { z } from 'zod';
import { WorkflowDetail, WorkflowId, WorkflowList, WorkflowListQuery, WorkflowUpdated } from '../../contracts/api.ts';
import { ApprovalRequest, CancelUpdate, RetryStageUpdate } from '../../contracts/approval.ts';
import type { Resource } from '../../lib/policy/index.ts';
import { route, type Route } from '../http/route.ts';
import { describeExecution, listExecutions, summarize, tenantOf } from '../temporal/executions.ts';
import type { TemporalGateway } from '../temporal/gateway.ts';
import { readDetail } from '../temporal/progress.ts';
import { assertOpen, cancelExecution, decideApproval, retryStage, type ApprovalSigner } from '../temporal/updates.ts';

export interface WorkflowRoutesOptions {
  readonly temporal: TemporalGateway;
  readonly signApproval: ApprovalSigner;
}

const tag = 'Workflows';
export const WorkflowParams = z.strictObject({ id: WorkflowId });

/** What policy is told about a workflow. @throws WORKFLOW_UNKNOWN */
export async function workflowResource(temporal: TemporalGateway, id: string): Promise<Resource> {
  const { raw, type } = await describeExecution(temporal, id);
  const execution = raw.workflowExecutionInfo ?? {};
  return {
    tenant: tenantOf(execution),
    requestedBy: summarize(execution, temporal).requestedBy,
    workflowType: type,
  };
}

export function workflowRoutes(options: WorkflowRoutesOptions): Route[] {
  return [listRoute(options), getRoute(options), approveRoute(options), cancelRoute(options), retryRoute(options)];
}

function listRoute({ temporal }: WorkflowRoutesOptions): Route {
  return route({
    method: 'get',
    path: '/v1/workflows',
    operationId: 'listWorkflows',
    tag,
    summary: 'Workflows: open ones first, then by the time of their end',
    access: 'workflow:read',
    query: WorkflowListQuery,
    success: { status: 200, description: 'One page.', schema: WorkflowList },
    errors: ['UNAVAILABLE'],
    handler: ({ query, caller }) => listExecutions(temporal, { ...query, tenant: caller.tenant }),
  });
}

function getRoute({ temporal }: WorkflowRoutesOptions): Route {
  return route({
    method: 'get',
    path: '/v1/workflows/{id}',
    operationId: 'getWorkflow',
    tag,
    summary: 'A workflow with its progress, and its result or failure once it has ended',
    access: 'workflow:read',
    resource: ({ id }) => workflowResource(temporal, id),
    params: WorkflowParams,
    success: { status: 200, description: 'The workflow.', schema: WorkflowDetail },
    errors: ['WORKFLOW_UNKNOWN', 'UNAVAILABLE'],
    handler: ({ params }) => readDetail(temporal, params.id),
  });
}

const updated = { status: 202 as const, description: 'The workflow took it.', schema: WorkflowUpdated };

function approveRoute({ temporal, signApproval }: WorkflowRoutesOptions): Route {
  return route({
    method: 'post',
    path: '/v1/workflows/{id}/approve',
    operationId: 'approveWorkflow',
    tag,
    summary: 'Decide what a workflow waits for',
    description: 'The API signs the decision; the workflow verifies it. The requester cannot decide.',
    access: 'workflow:approve',
    resource: ({ id }) => workflowResource(temporal, id),
    params: WorkflowParams,
    body: ApprovalRequest,
    success: updated,
    errors: [
      'WORKFLOW_UNKNOWN',
      'WORKFLOW_CLOSED',
      'APPROVAL_NOT_WAITING',
      'APPROVAL_SUBJECT_MISMATCH',
      'APPROVAL_SAME_PERSON',
      'UNAVAILABLE',
    ],
    auditDetail: ({ body }) => ({ decision: body.decision, subjectDigest: body.subjectDigest }),
    handler: async ({ params, body, caller }) => {
      const execution = await describeExecution(temporal, params.id);
      assertOpen(execution);
      return decideApproval(temporal, execution, { sub: caller.sub, request: body, sign: signApproval });
    },
  });
}

function cancelRoute({ temporal }: WorkflowRoutesOptions): Route {
  return route({
    method: 'post',
    path: '/v1/workflows/{id}/cancel',
    operationId: 'cancelWorkflow',
    tag,
    summary: 'Stop a workflow and undo what it registered',
    access: 'workflow:cancel',
    resource: ({ id }) => workflowResource(temporal, id),
    params: WorkflowParams,
    body: CancelUpdate,
    success: updated,
    errors: ['WORKFLOW_UNKNOWN', 'WORKFLOW_CLOSED', 'UNAVAILABLE'],
    auditDetail: ({ body }) => ({ reason: body.reason }),
    handler: async ({ params, body }) => {
      const execution = await describeExecution(temporal, params.id);
      assertOpen(execution);
      return cancelExecution(temporal, execution, body.reason);
    },
  });
}

function retryRoute({ temporal }: WorkflowRoutesOptions): Route {
  return route({
    method: 'post',
    path: '/v1/workflows/{id}/retry',
    operationId: 'retryWorkflowStage',
    tag,
    summary: 'Run a failed stage again',
    access: 'workflow:retry',
    resource: ({ id }) => workflowResource(temporal, id),
    params: WorkflowParams,
    body: RetryStageUpdate,
    success: updated,
    errors: ['WORKFLOW_UNKNOWN', 'WORKFLOW_CLOSED', 'STAGE_NOT_FAILED', 'UNAVAILABLE'],
    auditDetail: ({ body }) => ({ stage: body.stage }),
    handler: async ({ params, body }) => {
      const execution = await describeExecution(temporal, params.id);
      assertOpen(execution);
      return retryStage(temporal, execution, body.stage);
    },
  });
}

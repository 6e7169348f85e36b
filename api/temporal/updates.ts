import { randomUUID } from 'node:crypto';
import { WorkflowUpdateStage, type WorkflowExecutionDescription } from '@temporalio/client';
import type { WorkflowUpdated } from '../../contracts/api.ts';
import type { ApprovalClaims, ApprovalRequest } from '../../contracts/approval.ts';
import { Progress } from '../../contracts/progress.ts';
import { WORKFLOW_MESSAGES } from '../../contracts/workflows.ts';
import { ApiError } from '../errors.ts';
import type { TemporalGateway } from './gateway.ts';

/** An update waits for a worker to take it and, for an approval, for the activity that verifies it. */
const UPDATE_DEADLINE_MS = 20_000;

/** Makes the signed decision that the update `approve` carries. */
export type ApprovalSigner = (
  approval: Omit<ApprovalClaims, 'iss' | 'jti' | 'iat' | 'exp'>,
) => Promise<{ jws: string; claims: ApprovalClaims }>;

export interface Decision {
  readonly sub: string;
  readonly request: ApprovalRequest;
  readonly sign: ApprovalSigner;
}

/**
 * Brings a person's decision to the workflow that waits for it.
 * @throws {ApiError} `APPROVAL_NOT_WAITING`, `APPROVAL_SUBJECT_MISMATCH`; what the workflow answers keeps its code
 */
export async function decideApproval(
  gateway: TemporalGateway,
  { workflowId, runId }: WorkflowExecutionDescription,
  { sub, request, sign }: Decision,
): Promise<WorkflowUpdated> {
  const question = await openQuestion(gateway, workflowId, runId);
  if (question.subjectDigest !== request.subjectDigest) {
    throw new ApiError('APPROVAL_SUBJECT_MISMATCH', 'The workflow asks about another subject now.', {
      field: 'body.subjectDigest',
    });
  }
  const { jws, claims } = await sign({
    sub,
    workflowId,
    runId,
    stage: question.stage,
    subjectDigest: request.subjectDigest,
    decision: request.decision,
    ...(request.comment !== undefined && { comment: request.comment }),
  });
  return update(gateway, workflowId, { name: WORKFLOW_MESSAGES.approve, argument: { jws }, updateId: claims.jti });
}

/** Asks the workflow to stop and undo; when no worker can answer, Temporal keeps the request until one can. */
export async function cancelExecution(
  gateway: TemporalGateway,
  { workflowId }: WorkflowExecutionDescription,
  reason: string,
): Promise<WorkflowUpdated> {
  const updateId = randomUUID();
  try {
    return await update(gateway, workflowId, { name: WORKFLOW_MESSAGES.cancel, argument: { reason }, updateId });
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'UNAVAILABLE') throw error;
    await gateway.call({ kind: 'workflow', id: workflowId }, () =>
      gateway.client.workflow.getHandle(workflowId).cancel(),
    );
    return { workflowId, updateId };
  }
}

export async function retryStage(
  gateway: TemporalGateway,
  { workflowId }: WorkflowExecutionDescription,
  stage: string,
): Promise<WorkflowUpdated> {
  return update(gateway, workflowId, {
    name: WORKFLOW_MESSAGES.retryStage,
    argument: { stage },
    updateId: randomUUID(),
  });
}

/** @throws {ApiError} `WORKFLOW_CLOSED` */
export function assertOpen({ workflowId, status }: WorkflowExecutionDescription): void {
  if (status.name === 'RUNNING' || status.name === 'PAUSED') return;
  throw new ApiError('WORKFLOW_CLOSED', `${workflowId} has ended (${status.name.toLowerCase()}).`);
}

async function openQuestion(
  gateway: TemporalGateway,
  workflowId: string,
  runId: string,
): Promise<NonNullable<Progress['approval']>> {
  const answer: unknown = await gateway.call({ kind: 'workflow', id: workflowId }, () =>
    gateway.client.workflow.getHandle(workflowId, runId).query(WORKFLOW_MESSAGES.progress),
  );
  const { approval } = Progress.parse(answer);
  if (!approval) throw new ApiError('APPROVAL_NOT_WAITING', `${workflowId} does not wait for an approval.`);
  return approval;
}

async function update(
  gateway: TemporalGateway,
  workflowId: string,
  { name, argument, updateId }: { name: string; argument: object; updateId: string },
): Promise<WorkflowUpdated> {
  await gateway.call(
    { kind: 'workflow', id: workflowId },
    async () => {
      const handle = await gateway.client.workflow.getHandle(workflowId).startUpdate(name, {
        args: [argument],
        updateId,
        waitForStage: WorkflowUpdateStage.ACCEPTED,
      });
      await handle.result();
    },
    UPDATE_DEADLINE_MS,
  );
  return { workflowId, updateId };
}

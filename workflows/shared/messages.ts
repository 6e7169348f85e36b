import { defineQuery, defineUpdate } from '@temporalio/workflow';
import type { ApprovalClaims, ApproveUpdate, CancelUpdate, RetryStageUpdate } from '../../contracts/approval.ts';
import type { Progress } from '../../contracts/progress.ts';
import { WORKFLOW_MESSAGES } from '../../contracts/workflows.ts';

export const progressQuery = defineQuery<Progress>(WORKFLOW_MESSAGES.progress);
export const approveUpdate = defineUpdate<Pick<ApprovalClaims, 'decision' | 'sub'>, [ApproveUpdate]>(
  WORKFLOW_MESSAGES.approve,
);
export const cancelUpdate = defineUpdate<void, [CancelUpdate]>(WORKFLOW_MESSAGES.cancel);
export const retryStageUpdate = defineUpdate<void, [RetryStageUpdate]>(WORKFLOW_MESSAGES.retryStage);

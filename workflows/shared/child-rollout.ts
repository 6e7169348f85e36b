import { ChildWorkflowCancellationType, executeChild, ParentClosePolicy } from '@temporalio/workflow';
import type { RolloutInput, RolloutResult } from '../../contracts/registry.ts';
import { rolloutStart, rolloutWorkflowId } from '../../contracts/workflows.ts';
import { rolloutModel } from '../rolloutModel.ts';
import { searchAttributePairs } from './search-attributes.ts';

/**
 * A rollout as a child, whose id is the lock of the model.
 * @throws WorkflowExecutionAlreadyStartedError while another rollout of the model runs
 */
export function executeRollout(request: RolloutInput, tenant: string): Promise<RolloutResult> {
  const { staticSummary, staticDetails, searchAttributes, priority } = rolloutStart(request, tenant);
  return executeChild(rolloutModel, {
    args: [request],
    workflowId: rolloutWorkflowId(request.model),
    staticSummary,
    staticDetails,
    typedSearchAttributes: searchAttributePairs(searchAttributes),
    priority,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
  });
}

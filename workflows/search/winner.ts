import { ChildWorkflowCancellationType, executeChild, ParentClosePolicy } from '@temporalio/workflow';
import { withValues } from '../../contracts/search-space.ts';
import { metricsOf } from '../../contracts/train-register-deploy.ts';
import type { TrainInput, TrainResult } from '../../contracts/train-register-deploy.ts';
import { trainingStart } from '../../contracts/workflows.ts';
import { searchAttributePairs } from '../shared/search-attributes.ts';
import { trainRegisterDeploy } from '../trainRegisterDeploy.ts';
import { trialKey } from './search.ts';
import type { Search, Trial } from './search.ts';

/**
 * Trains the winner as anybody would train this configuration: all epochs, the test set, gates, approval, signature,
 * rollout. The id of the child is the key of the trial, so that its training goes on at the trial's checkpoint; the
 * weights are those of a training from the beginning.
 */
export async function trainWinner(search: Search, { trial, values }: Trial): Promise<TrainResult> {
  const { input, run, result } = search;
  const trainingWorkflowId = trialKey(search, trial);
  result.winner = { trial, trainingWorkflowId };
  return run.stage(
    'train',
    async () => {
      run.report.note('train', 'running', `trial ${trial}, all gates: ${trainingWorkflowId}`);
      const trained = await execute({ ...input.train, ...withValues(input.train, values) }, trainingWorkflowId);
      result.trained = trained;
      if (trained.evaluation !== undefined) {
        const measured = metricsOf(trained.evaluation).map(({ name, interval }) => [name, interval.value] as const);
        run.report.measure(Object.fromEntries(measured));
      }
      return trained;
    },
    ({ outcome, registered, evaluation }) => {
      const version = registered === undefined ? outcome : `version ${registered.version}`;
      if (evaluation === undefined) return `trial ${trial}: ${version}`;
      const [{ title, interval }] = metricsOf(evaluation);
      return `trial ${trial}: ${version}, ${title} ${interval.value.toFixed(4)} on the test set`;
    },
  );
}

function execute(request: TrainInput, workflowId: string): Promise<TrainResult> {
  const { staticSummary, staticDetails, searchAttributes, priority } = trainingStart(request);
  return executeChild(trainRegisterDeploy, {
    args: [request],
    workflowId,
    staticSummary,
    staticDetails,
    typedSearchAttributes: searchAttributePairs(searchAttributes),
    priority,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
  });
}

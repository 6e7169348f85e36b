import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { AgentTask, ToolResult } from '../../contracts/agent-activities.ts';
import type { RolloutInput, RolloutResult } from '../../contracts/registry.ts';
import { executeRollout } from '../shared/child-rollout.ts';
import { failure, Rejection } from '../shared/failures.ts';
import type { Task } from './task.ts';

type Proposal = NonNullable<ToolResult['proposal']>;

/**
 * What the agent proposed, if a person wants it: asked after the model has answered and its login has ended, so that
 * nothing that the model read can do anything any more. The child's id is the lock of the model, and this workflow
 * starts it in one place once: a repetition after a crash finds the child that it started.
 * @throws Rejection when the answer is no, or none comes in time
 */
export async function carryOutProposal(
  task: Task,
  agentTask: AgentTask,
  proposal: Proposal | undefined,
): Promise<void> {
  const { run } = task;
  if (proposal === undefined) {
    run.report.end('approval', 'skipped', 'nothing was proposed');
    run.report.end('rollback', 'skipped', 'nothing was proposed');
    return;
  }
  const approvedBy = await askForApproval(task, proposal);
  await rollBack(task, agentTask, proposal, approvedBy);
}

async function askForApproval(
  { input, run, desk, result }: Task,
  { content, subjectDigest }: Proposal,
): Promise<string> {
  result.proposal = content;
  const { sub } = await run.stage(
    'approval',
    () => desk.decide({ stage: 'approval', subjectDigest, timeoutSeconds: input.approvalSeconds }),
    (claims) => `by ${claims.sub}`,
  );
  result.approvedBy = sub;
  return sub;
}

async function rollBack(task: Task, agentTask: AgentTask, proposal: Proposal, approvedBy: string): Promise<void> {
  const { run, activities, result } = task;
  const { content, subjectDigest } = proposal;
  await run.stage(
    'rollback',
    async () => {
      await activities
        .agent(`May ${content.model} go back to version ${content.toVersion}?`)
        .authorizeEffect({ task: agentTask, proposal: content, subjectDigest, approvedBy });
      const rollback = await startRollback(task, proposal, approvedBy);
      result.rollback = rollback;
      if (rollback.outcome !== 'completed') throw new Rejection(rollback.reasons);
      return rollback;
    },
    ({ champion }) => `version ${champion} is champion again`,
  );
}

async function startRollback({ input }: Task, { content }: Proposal, approvedBy: string): Promise<RolloutResult> {
  const { model, toVersion, reason } = content;
  const request: RolloutInput = {
    kind: 'rollback',
    model,
    toVersion,
    reason: `proposed by ${input.agent}, approved by ${approvedBy}: ${reason}`.slice(0, 500),
    requestedBy: input.requestedBy,
  };
  try {
    return await executeRollout(request, input.tenant);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // Whatever runs now may change what the person approved: they are to look again.
    throw failure('ROLLOUT_IN_PROGRESS', `Another rollout of ${model} runs.`);
  }
}

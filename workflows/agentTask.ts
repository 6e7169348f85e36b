import { workflowInfo } from '@temporalio/workflow';
import type { AgentTask } from '../contracts/agent-activities.ts';
import { AgentTaskInput } from '../contracts/agent-task.ts';
import type { AgentStage, AgentTaskResult, RollbackProposal } from '../contracts/agent-task.ts';
import type { ArtifactRef } from '../contracts/reference.ts';
import { agentTaskStart } from '../contracts/workflows.ts';
import { closeTask, revokeLogins } from './agent/close.ts';
import { carryOutProposal } from './agent/effect.ts';
import { taskOf } from './agent/task.ts';
import type { Task } from './agent/task.ts';
import { work } from './agent/work.ts';
import { activitiesFor } from './shared/activities.ts';
import { ApprovalDesk } from './shared/approval.ts';
import { parseInput, Rejection } from './shared/failures.ts';
import { Run } from './shared/run.ts';

/** Usual share of the duration, in seconds. */
const STAGES: Readonly<Record<AgentStage, number>> = {
  screenInput: 1,
  borrowLogin: 1,
  work: 30,
  revokeLogin: 1,
  screenAnswer: 1,
  approval: 1,
  rollback: 4,
};

/** Characters of the answer that a stage shows. */
const SHOWN = 300;

/**
 * Lets an agent work on a question: the loop of model and tools is this workflow, so that every step is durable, seen,
 * decided and done once. An agent changes nothing itself; what it proposes needs another person's approval.
 *
 * Query `progress`; updates `approve`, `cancel` (contracts/approval.ts). A refusal by a filter, a budget, a person or
 * time ends `rejected` and is no failure.
 * @throws ApplicationFailure whose type is a code of contracts/errors.ts
 */
export async function agentTask(value: AgentTaskInput): Promise<AgentTaskResult> {
  const input = parseInput(AgentTaskInput, value);
  const { workflowId, runId } = workflowInfo();
  const start = agentTaskStart(input);
  const activities = activitiesFor(start.priority);
  const run = new Run({ title: start.staticSummary, stages: STAGES, onFailure: { action: 'fail', windowSeconds: 1 } });
  const context = { key: workflowId, runId, requestedBy: input.requestedBy };
  const desk = new ApprovalDesk({ run: context, report: run.report, activities });
  const task: Task = {
    ...{ input, context, run, activities, desk, borrowed: false },
    result: { agent: input.agent, chatModel: input.model, usage: { steps: 0, tokens: 0 }, calls: [] },
  };
  const { outcome, reasons } = await run.conclude(
    () => answer(task),
    (conclusion) => closeTask(task, conclusion),
  );
  return { ...task.result, outcome, reasons };
}

async function answer(task: Task): Promise<void> {
  const { run, activities, context, result } = task;
  const { agentTask, conversation } = await screenInput(task);
  await run.stage(
    'borrowLogin',
    () => {
      task.borrowed = true;
      return activities.agent('Borrow a read-only database login').borrowLogin({ run: context });
    },
    ({ username }) => username,
  );
  const worked = await run.stage(
    'work',
    () => work(task, agentTask, conversation),
    ({ proposal }) => describeWork(result, proposal?.content),
  );
  await run.stage(
    'revokeLogin',
    () => revokeLogins(task),
    (revoked) => `${revoked} revoked`,
  );
  await run.stage(
    'screenAnswer',
    async () => {
      const screened = await activities
        .agent('Filter the answer')
        .screenAnswer({ task: agentTask, answer: worked.answer });
      result.answer = screened.text;
      return screened;
    },
    ({ text }) => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text),
  );
  await carryOutProposal(task, agentTask, worked.proposal);
}

/** What an approver reads before deciding, beside the answer. */
function describeWork({ usage, calls }: Task['result'], proposal: RollbackProposal | undefined): string {
  const done = `${usage.steps} model calls, ${calls.length} tool calls, ${usage.tokens} tokens`;
  if (proposal === undefined) return done;
  const { model, fromVersion, toVersion, reason } = proposal;
  return `${done}; proposes ${model} back from version ${fromVersion} to ${toVersion}: ${reason}`;
}

/** @throws Rejection when the filters block the question */
async function screenInput(task: Task): Promise<{ agentTask: AgentTask; conversation: ArtifactRef }> {
  const { input, context, run, activities } = task;
  const { agent, question } = input;
  const opened = await run.stage(
    'screenInput',
    async () => {
      const answer = await activities.agent('Filter the question').openAgentTask({ run: context, agent, question });
      const { action, rules } = answer.screened;
      if (action === 'block') throw new Rejection([`the question was refused: ${rules.join(', ')}`]);
      return answer;
    },
    ({ screened }) => (screened.rules.length === 0 ? 'nothing found' : `removed: ${screened.rules.join(', ')}`),
  );
  return { agentTask: taskOf(task, opened.definition), conversation: opened.conversation };
}

import type { AgentTask, ToolAnswer, ToolCall, ToolResult } from '../../contracts/agent-activities.ts';
import type { AgentBudget } from '../../contracts/agent-task.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { Rejection } from '../shared/failures.ts';
import type { Task } from './task.ts';

type Proposal = NonNullable<ToolResult['proposal']>;

/** What the loop came to: an answer that nobody has filtered yet, and at most one proposal. */
export interface Worked {
  readonly answer: string;
  readonly proposal?: Proposal;
}

/**
 * Thinks and acts until the model answers: each model call, each decision of the policy and each tool call is an
 * activity of its own. What a tool returns and what the model wants next is data; only this loop decides what happens.
 * @throws Rejection when the budget is used up, or the model has nothing to say
 */
export async function work(task: Task, agentTask: AgentTask, begin: ArtifactRef): Promise<Worked> {
  const { input, activities, result, run } = task;
  const deadline = Date.now() + input.budget.minutes * 60_000;
  let answers: readonly ToolAnswer[] = [];
  let conversation = begin;
  let proposal: Proposal | undefined;
  for (let step = 1; ; step += 1) {
    checkBudget(input.budget, { step, tokens: result.usage.tokens, deadline });
    run.report.note('work', 'running', `step ${step}: the model thinks`);
    const thought = await activities
      .llm(`Step ${step}: ask the ${input.model} model`)
      .think({ task: agentTask, step, conversation, answers });
    result.usage = { steps: step, tokens: result.usage.tokens + thought.tokens };
    run.report.measure({ steps: step, tokens: result.usage.tokens });
    if (thought.calls.length === 0) return answered(thought.text, proposal);
    conversation = thought.conversation;
    const next: ToolAnswer[] = [];
    for (const [index, call] of thought.calls.entries()) {
      checkBudget(input.budget, { step, tokens: result.usage.tokens, deadline });
      run.report.note('work', 'running', `step ${step}: ${call.tool}`);
      const proposals = proposal === undefined ? 0 : 1;
      const acted = await act(task, { task: agentTask, step, index, call, proposals });
      next.push(acted.answer);
      proposal ??= acted.proposal;
    }
    answers = next;
  }
}

function answered(text: string, proposal: Proposal | undefined): Worked {
  if (text.trim() === '') throw new Rejection(['the model gave no answer']);
  return { answer: text, ...(proposal && { proposal }) };
}

interface Used {
  readonly step: number;
  readonly tokens: number;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
}

function checkBudget(budget: AgentBudget, { step, tokens, deadline }: Used): void {
  if (step > budget.steps) throw new Rejection([`the budget of ${budget.steps} model calls is used up`]);
  if (tokens >= budget.tokens) throw new Rejection([`the budget of ${budget.tokens} tokens is used up`]);
  if (Date.now() >= deadline) throw new Rejection([`the budget of ${budget.minutes} minutes is used up`]);
}

interface Act {
  readonly task: AgentTask;
  readonly step: number;
  readonly index: number;
  readonly call: ToolCall;
  readonly proposals: number;
}

/** The policy decides about every single call; without its yes nothing is called. */
async function act(task: Task, a: Act): Promise<{ answer: ToolAnswer; proposal?: Proposal }> {
  const { activities, result } = task;
  const { id, tool } = a.call;
  const decision = await activities.agent(`Step ${a.step}: may it call ${tool}?`).decideTool(a);
  const word = decision.allow ? 'allowed' : 'refused';
  result.calls.push({ step: a.step, tool, decision: word, rule: decision.rule });
  if (!decision.allow) return { answer: { id, tool, refusal: refusal(tool, decision.rule) } };
  const called = await activities.agent(`Step ${a.step}: ${tool}`).callTool(a);
  return { answer: { id, tool, result: called.result }, ...(called.proposal && { proposal: called.proposal }) };
}

/** What has no grant is as if it did not exist: a model cannot find out what others may do. */
function refusal(tool: string, rule: string): string {
  if (rule === 'no-grant' || rule === 'default-deny') return `There is no tool ${tool}.`;
  return `The call was refused (${rule.replace(/^deny:/, '')}).`;
}

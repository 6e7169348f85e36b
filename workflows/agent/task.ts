import type { AgentTask } from '../../contracts/agent-activities.ts';
import type { AgentStage, AgentTaskInput, AgentTaskResult } from '../../contracts/agent-task.ts';
import type { RunContext } from '../../contracts/activities.ts';
import type { Activities } from '../shared/activities.ts';
import type { ApprovalDesk } from '../shared/approval.ts';
import type { Run } from '../shared/run.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What the parts of a task share. `result` grows from stage to stage. */
export interface Task {
  readonly input: AgentTaskInput;
  readonly context: RunContext;
  readonly run: Run<AgentStage>;
  readonly activities: Activities;
  readonly desk: ApprovalDesk<AgentStage>;
  readonly result: Writable<Omit<AgentTaskResult, 'outcome' | 'reasons'>>;
  /** Whether a login was asked for, and is to be revoked. */
  borrowed: boolean;
}

/** Names the task to its activities; there is no definition before it was opened. */
export function taskOf({ input, context }: Task, definition: AgentTask['definition']): AgentTask {
  return { run: context, definition, model: input.model };
}

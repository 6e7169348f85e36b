import { z } from 'zod';
import { AgentBudget, ChatModelName, Transcript } from './agent-task.ts';
import { WorkflowDetail } from './api.ts';
import { Name } from './reference.ts';

/** A tool of an agent, as the policy grants it under the deployment's chat model. */
export const AgentToolView = z.object({
  name: z.string(),
  description: z.string(),
  granted: z.boolean(),
  /** Its effect waits for another person. */
  approval: z.boolean(),
  /** JSON Schema of the arguments. */
  arguments: z.record(z.string(), z.unknown()),
});

export const AgentView = z.object({
  name: Name,
  description: z.string(),
  budget: AgentBudget,
  /** Configured chat models, and the one that is used where a task names none. */
  models: z.array(ChatModelName),
  defaultModel: ChatModelName,
  tools: z.array(AgentToolView),
});
export type AgentView = z.infer<typeof AgentView>;
export const AgentList = z.object({ agents: z.array(AgentView) });
export type AgentList = z.infer<typeof AgentList>;

export const AgentTaskView = z.object({
  workflow: WorkflowDetail,
  /** Once the task has ended. */
  transcript: Transcript.optional(),
});
export type AgentTaskView = z.infer<typeof AgentTaskView>;

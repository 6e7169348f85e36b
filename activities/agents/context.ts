import type { AgentTask } from '../../contracts/agent-activities.ts';
import { AgentDefinition } from '../../contracts/agent-task.ts';
import type { ChatModels, Conversations, TaskLogins, ToolPolicy } from '../../lib/agents/index.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import type { AgentStore } from '../../lib/clients/index.ts';
import type { Guard } from '../../lib/guardrails/index.ts';
import type { Journal } from './journal.ts';

/** What the activities of agents work with. */
export interface AgentContext {
  readonly store: Pick<ArtifactStore, 'putJson' | 'readJson'>;
  readonly steps: Pick<AgentStore, 'find' | 'keep' | 'transcript'>;
  readonly conversations: Conversations;
  readonly logins: Pick<TaskLogins, 'use' | 'forget' | 'revoke'>;
  readonly models: ChatModels;
  readonly policy: ToolPolicy;
  readonly guard: Guard;
  readonly note: Journal;
}

/** The definition that was pinned when the task began, whatever the file says by now. */
export function definitionOf({ store }: AgentContext, task: AgentTask): Promise<AgentDefinition> {
  return store.readJson(task.definition, AgentDefinition);
}

export function actorOf({ name }: AgentDefinition): string {
  return `agent:${name}`;
}

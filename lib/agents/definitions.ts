import { readdirSync, readFileSync } from 'node:fs';
import { AgentDefinition } from '../../contracts/agent-task.ts';
import type { AgentBudget, AgentTaskRequest } from '../../contracts/agent-task.ts';
import { Name } from '../../contracts/reference.ts';
import { AgentError } from './errors.ts';

const FOLDER = new URL('../../infra/agents/', import.meta.url);

/** Names of all agents, sorted. */
export function agentNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

/** @throws AgentError AGENT_UNKNOWN; the parser's error when the file is not a definition of that name */
export function loadAgent(name: string): AgentDefinition {
  if (!Name.safeParse(name).success || !agentNames().includes(name)) {
    throw new AgentError('AGENT_UNKNOWN', `There is no agent ${name}.`, { field: 'agent' });
  }
  const definition = AgentDefinition.parse(JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')));
  if (definition.name !== name) throw new TypeError(`${name}.json defines the agent ${definition.name}`);
  return definition;
}

/** The agent's budget, tightened where the request asks for less. */
export function budgetOf({ budget }: AgentDefinition, wanted: AgentTaskRequest['budget'] = {}): AgentBudget {
  const least = (own: number, asked: number | undefined): number => Math.min(own, asked ?? own);
  return {
    steps: least(budget.steps, wanted.steps),
    tokens: least(budget.tokens, wanted.tokens),
    minutes: least(budget.minutes, wanted.minutes),
  };
}

import type { AgentActivities } from '../../contracts/agent-activities.ts';
import type { AgentContext } from './context.ts';
import { loginActivities } from './logins.ts';
import { textActivities } from './open.ts';
import { thinkActivity } from './think.ts';
import { toolActivities } from './tools.ts';

export { journal } from './journal.ts';
export type { AgentContext } from './context.ts';

/** Activities of the agent pool: every call of a model or a tool is one of its own. */
export function createAgentActivities(context: AgentContext): AgentActivities {
  return {
    ...textActivities(context),
    ...loginActivities(context),
    ...toolActivities(context),
    think: thinkActivity(context),
  };
}

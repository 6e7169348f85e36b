import type { z } from 'zod';
import type { RollbackProposal } from '../../../contracts/agent-task.ts';
import type { AgentViews } from '../../clients/index.ts';

export interface ToolContext {
  /** The registry, under the login that was borrowed for this task. */
  readonly views: AgentViews;
}

export interface ToolOutcome {
  /** JSON for the model. */
  readonly value: unknown;
  /** What a person is asked to approve. */
  readonly proposal?: RollbackProposal;
}

export interface AgentTool<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  /** For the model. */
  readonly description: string;
  readonly schema: Schema;
  /** @throws DatabaseError. What does not exist is an outcome, not an error: the model shall go on. */
  run(given: z.infer<Schema>, context: ToolContext): Promise<ToolOutcome>;
}

/** Types `run` by the schema beside it. */
export function defineTool<Schema extends z.ZodObject>(tool: AgentTool<Schema>): AgentTool {
  return { ...tool, run: (given, context) => tool.run(tool.schema.parse(given), context) };
}

import { ToolDecision } from '../../contracts/agent-activities.ts';
import type { AgentDefinition, ChatModelName } from '../../contracts/agent-task.ts';
import { CompiledPolicy } from '../policy/index.ts';

/** What the policy `tools` is asked about; see infra/policies/tools. */
export interface ToolQuestion {
  readonly agent: string;
  readonly model: ChatModelName;
  readonly phase: 'offer' | 'call' | 'effect';
  readonly tool: string;
  readonly arguments?: unknown;
  /** Made so far in this task. */
  readonly proposals?: number;
  readonly task?: { readonly requestedBy: string };
  readonly approval?: { readonly by: string; readonly subjectDigest: string };
  readonly subjectDigest?: string;
}

/** Decides by `infra/policies/tools` which tools an agent has, which calls may happen and which effects. */
export class ToolPolicy {
  readonly #policy: CompiledPolicy<ToolDecision>;

  private constructor(policy: CompiledPolicy<ToolDecision>) {
    this.#policy = policy;
  }

  /** @throws PolicyError POLICY_UNAVAILABLE */
  static async load(): Promise<ToolPolicy> {
    return new ToolPolicy(await CompiledPolicy.load({ name: 'tools', decision: ToolDecision }));
  }

  /** @throws PolicyError POLICY_UNAVAILABLE: no decision is no permission */
  decide(question: ToolQuestion): ToolDecision {
    return this.#policy.evaluate(question);
  }

  /** The tools that the agent asks for and the policy grants it, under this chat model. */
  granted({ name, tools }: AgentDefinition, model: ChatModelName): { tool: string; approval: boolean }[] {
    return tools.flatMap((tool) => {
      const { allow, approval } = this.decide({ agent: name, model, phase: 'offer', tool });
      return allow ? [{ tool, approval }] : [];
    });
  }
}

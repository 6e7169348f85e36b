import type { AgentActivities, Thought, ToolCall } from '../../../contracts/agent-activities.ts';
import { AgentTaskInput } from '../../../contracts/agent-task.ts';
import type { RollbackProposal } from '../../../contracts/agent-task.ts';
import { SaipError } from '../../../contracts/errors.ts';
import { ref } from './refs.ts';

export const PROPOSAL: RollbackProposal = { model: 'tiny', fromVersion: '2', toVersion: '1', reason: 'worse' };
export const PROPOSAL_DIGEST = ref('proposal').sha256;

export function agentInput(changes: Partial<AgentTaskInput> = {}): AgentTaskInput {
  return AgentTaskInput.parse({
    agent: 'model-analyst',
    question: 'Which version is champion?',
    model: 'remote',
    budget: { steps: 4, tokens: 10_000, minutes: 5 },
    approvalSeconds: 3600,
    requestedBy: 'operator-1',
    ...changes,
  });
}

/** What the model says in one step: calls, or an answer. */
export type Script = readonly (string | readonly Pick<ToolCall, 'tool' | 'arguments'>[])[];

/** Model, tools, policy and logins as the workflow sees them, in memory. */
export class AgentWorld {
  script: Script = ['Version 2 is.'];
  tokens = 100;
  refuse: (tool: string) => string | undefined = () => undefined;
  readonly effects: string[] = [];
  readonly thought: Parameters<AgentActivities['think']>[0][] = [];
  logins = 0;

  activities(): AgentActivities {
    return {
      openAgentTask: async ({ question }) => ({
        definition: ref('definition'),
        conversation: ref('conversation'),
        screened: question.includes('Ignore')
          ? { action: 'block', text: '', rules: ['injection.override'] }
          : { action: 'allow', text: question, rules: [] },
      }),
      borrowLogin: async () => {
        this.logins += 1;
        return { username: 'v-agent-1' };
      },
      revokeLogins: async () => {
        const revoked = this.logins;
        this.logins = 0;
        return { revoked };
      },
      think: async (argument) => {
        this.thought.push(argument);
        return this.#say(argument.step);
      },
      decideTool: async ({ call, proposals }) => {
        const rule = this.refuse(call.tool) ?? (proposals > 0 ? 'deny:second-proposal' : undefined);
        return { allow: rule === undefined, rule: rule ?? `grant:model-analyst:${call.tool}`, approval: false };
      },
      callTool: async ({ call }) => {
        const proposal = { content: PROPOSAL, subjectDigest: PROPOSAL_DIGEST };
        return { result: ref(`result of ${call.tool}`), ...(call.tool === 'propose_rollback' && { proposal }) };
      },
      screenAnswer: async ({ answer }) => ({ action: 'allow', text: answer, rules: [] }),
      authorizeEffect: async ({ approvedBy, subjectDigest }) => {
        if (subjectDigest !== PROPOSAL_DIGEST) throw new SaipError('FORBIDDEN', 'Another subject.');
        this.effects.push(approvedBy);
      },
      writeTranscript: async () => ref('transcript'),
    };
  }

  #say(step: number): Thought {
    const said = this.script[Math.min(step, this.script.length) - 1] ?? '';
    const calls = typeof said === 'string' ? [] : said.map((call, index) => ({ id: `call_${step}_${index}`, ...call }));
    return {
      conversation: ref(`conversation ${step}`),
      calls,
      text: typeof said === 'string' ? said : '',
      tokens: this.tokens,
    };
  }
}

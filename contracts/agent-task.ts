import { z } from 'zod';
import { ArtifactRef, Name, Sha256 } from './reference.ts';
import { RolloutResult } from './registry.ts';
import { ApprovalRule } from './train-register-deploy.ts';

/** Stages of `agentTask`, in order; these names are shown in the Temporal UI, the CLI and the API. */
export const AGENT_STAGES = [
  'screenInput',
  'borrowLogin',
  'work',
  'revokeLogin',
  'screenAnswer',
  'approval',
  'rollback',
] as const;
export const AgentStage = z.enum(AGENT_STAGES);
export type AgentStage = z.infer<typeof AgentStage>;

/** What a task may use up. Whatever runs out first ends it as `rejected`. */
export const AgentBudget = z.strictObject({
  /** Calls of the model. */
  steps: z.int().min(1).max(32),
  /** Prompt and answer tokens of all model calls together, as the model's server counts them. */
  tokens: z.int().min(256).max(1_000_000),
  minutes: z.int().min(1).max(60),
});
export type AgentBudget = z.infer<typeof AgentBudget>;

/** Names of tools, as models and policy know them. */
export const ToolName = z.string().regex(/^[a-z][a-z_]{0,63}$/, 'lower-case letters and "_"');

/** Chat models a deployment can configure: `embedded` runs on this machine, `remote` is an OpenAI-compatible server. */
export const CHAT_MODELS = ['embedded', 'remote'] as const;
export const ChatModelName = z.enum(CHAT_MODELS);
export type ChatModelName = z.infer<typeof ChatModelName>;

/** An agent as data: a file of `infra/agents/`. It may ask for a tool; whether it gets it is the policy's decision. */
export const AgentDefinition = z.strictObject({
  name: Name,
  description: z.string().min(1).max(500),
  system: z.string().min(1).max(4000),
  model: z.strictObject({
    temperature: z.number().min(0).max(2),
    seed: z
      .int()
      .min(0)
      .max(2 ** 31 - 1),
    /** Longest answer of one model call, in tokens. */
    maxTokens: z.int().min(16).max(8192),
  }),
  tools: z.array(ToolName).max(16),
  budget: AgentBudget,
});
export type AgentDefinition = z.infer<typeof AgentDefinition>;

/** Body of `POST /v1/workflows/agent-task`. */
export const AgentTaskRequest = z.strictObject({
  agent: Name,
  question: z.string().trim().min(1).max(2000),
  /** One of the configured chat models; default: the deployment's. */
  model: ChatModelName.optional(),
  /** Tightens the agent's budget; it cannot be widened. */
  budget: AgentBudget.partial().optional(),
  /** How long a proposal of the agent waits for another person. */
  approval: ApprovalRule.pick({ timeoutSeconds: true }).prefault({}),
});
export type AgentTaskRequest = z.infer<typeof AgentTaskRequest>;

/** Workflow input: the request with the agent and its budget resolved, and who asked. */
export const AgentTaskInput = z.strictObject({
  agent: Name,
  question: z.string().min(1).max(2000),
  model: ChatModelName,
  budget: AgentBudget,
  approvalSeconds: z.int().min(1),
  requestedBy: z.string(),
  tenant: z.string().default('default'),
});
export type AgentTaskInput = z.infer<typeof AgentTaskInput>;

/** A rollback that the agent proposes; only a person's approval of exactly this lets it happen. */
export const RollbackProposal = z.strictObject({
  model: Name,
  /** The champion at the time of the proposal. */
  fromVersion: z.string().min(1).max(32),
  toVersion: z.string().min(1).max(32),
  reason: z.string().min(1).max(500),
});
export type RollbackProposal = z.infer<typeof RollbackProposal>;

/** One line of a transcript: what entered or left the model, a tool or the policy, after the filters. */
export const TranscriptEntry = z.strictObject({
  step: z.int().nonnegative(),
  kind: z.enum(['question', 'thought', 'decision', 'result', 'answer']),
  tool: z.string().optional(),
  /** Text as the model saw or wrote it, secrets and hidden characters removed. */
  text: z.string(),
  decision: z.string().optional(),
  /** Rules of filters and policy that had a say. */
  rules: z.array(z.string()),
  /** Digest of the whole, unshortened bytes where `text` is a part of them. */
  sha256: Sha256.optional(),
});
export type TranscriptEntry = z.infer<typeof TranscriptEntry>;
export const Transcript = z.strictObject({ version: z.literal(1), entries: z.array(TranscriptEntry) });
export type Transcript = z.infer<typeof Transcript>;

export const AgentStepSummary = z.strictObject({
  step: z.int(),
  tool: z.string(),
  decision: z.enum(['allowed', 'refused']),
  /** Rule of the policy that decided. */
  rule: z.string(),
});
export type AgentStepSummary = z.infer<typeof AgentStepSummary>;

/** Result of the workflow. `rejected` is a business outcome: a filter, a budget, a person or a time-out said no. */
export const AgentTaskResult = z.strictObject({
  outcome: z.enum(['completed', 'rejected', 'cancelled']),
  reasons: z.array(z.string()),
  agent: Name,
  chatModel: ChatModelName,
  answer: z.string().optional(),
  usage: z.strictObject({ steps: z.int(), tokens: z.int() }),
  calls: z.array(AgentStepSummary),
  transcript: ArtifactRef.optional(),
  proposal: RollbackProposal.optional(),
  approvedBy: z.string().optional(),
  rollback: RolloutResult.optional(),
});
export type AgentTaskResult = z.infer<typeof AgentTaskResult>;

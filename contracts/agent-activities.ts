import { z } from 'zod';
import type { RunContext } from './activities.ts';
import { RollbackProposal } from './agent-task.ts';
import type { ChatModelName } from './agent-task.ts';
import { ArtifactRef, Sha256 } from './reference.ts';

/** A task as its activities know it: the definition is pinned by digest when the task begins. */
export interface AgentTask {
  readonly run: RunContext;
  readonly definition: ArtifactRef;
  readonly model: ChatModelName;
}

/** A tool call of the model. `arguments` is what the model wrote, filtered and at most 4 KiB, but not yet allowed. */
export const ToolCall = z.object({
  id: z.string(),
  tool: z.string(),
  arguments: z.record(z.string(), z.unknown()),
  /** Why the arguments cannot even be looked at; such a call is refused. */
  malformed: z.string().optional(),
});
export type ToolCall = Readonly<z.infer<typeof ToolCall>>;

/** What the model gets back for a call: a stored, filtered result, or a refusal in one sentence. */
export interface ToolAnswer {
  readonly id: string;
  readonly tool: string;
  readonly result?: ArtifactRef;
  readonly refusal?: string;
}

export const Thought = z.object({
  /** The conversation with this thought appended. */
  conversation: ArtifactRef,
  /** Empty when the model answers. */
  calls: z.array(ToolCall),
  text: z.string(),
  tokens: z.int(),
});
export type Thought = z.infer<typeof Thought>;

export const ToolDecision = z.strictObject({
  allow: z.boolean(),
  /** What decided: `grant:<agent>:<tool>`, `no-grant`, `deny:<reason>`, `malformed:<reason>` or `default-deny`. */
  rule: z.string(),
  /** The effect of this tool needs a person's approval. */
  approval: z.boolean(),
});
export type ToolDecision = z.infer<typeof ToolDecision>;

/** What a filter decided about a text, and the text that may go on. */
export const Screened = z.object({
  action: z.enum(['allow', 'redact', 'block']),
  text: z.string(),
  rules: z.array(z.string()),
});
export type Screened = z.infer<typeof Screened>;

export const OpenedTask = z.object({ definition: ArtifactRef, conversation: ArtifactRef, screened: Screened });
export type OpenedTask = z.infer<typeof OpenedTask>;

export const ToolResult = z.object({
  result: ArtifactRef,
  /** What a person is asked to approve, and the digest of its canonical JSON. */
  proposal: z.object({ content: RollbackProposal, subjectDigest: Sha256 }).optional(),
});
export type ToolResult = z.infer<typeof ToolResult>;

/** Which call of the task an activity is about: it names the stored result, so that a repetition finds it. */
export interface CallArguments {
  readonly task: AgentTask;
  readonly step: number;
  /** Index inside the step. */
  readonly index: number;
  readonly call: ToolCall;
  /** Proposals of this task so far. */
  readonly proposals: number;
}

/**
 * Queue `saip-agents`. The result of every activity that reaches a model or a tool is stored under task and step before
 * it is returned; a repetition returns what is stored, and calls nothing.
 */
export interface AgentActivities {
  /** Pins the definition, filters the question, and begins the conversation. */
  openAgentTask(a: { run: RunContext; agent: string; question: string }): Promise<OpenedTask>;
  /** Borrows a read-only database login for the task and tries it; the password stays in the worker. */
  borrowLogin(a: { run: RunContext }): Promise<{ username: string }>;
  /** Revokes every login of the task, also those of a worker that died. */
  revokeLogins(a: { run: RunContext }): Promise<{ revoked: number }>;
  /** One call of the model, with the answers to its last calls appended to the conversation. */
  think(a: {
    task: AgentTask;
    step: number;
    conversation: ArtifactRef;
    answers: readonly ToolAnswer[];
  }): Promise<Thought>;
  /** Asks the policy whether the call may happen. */
  decideTool(a: CallArguments): Promise<ToolDecision>;
  /** Runs an allowed tool, after asking the policy again. @throws FORBIDDEN */
  callTool(a: CallArguments): Promise<ToolResult>;
  /** Filters the answer. */
  screenAnswer(a: { task: AgentTask; answer: string }): Promise<Screened>;
  /** The policy's last word on the effect of an approved proposal. @throws FORBIDDEN */
  authorizeEffect(a: {
    task: AgentTask;
    proposal: RollbackProposal;
    subjectDigest: string;
    approvedBy: string;
  }): Promise<void>;
  /** Writes the transcript out of the stored steps. */
  writeTranscript(a: { run: RunContext }): Promise<ArtifactRef>;
}

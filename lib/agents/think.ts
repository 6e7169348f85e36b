import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import type { AIMessage, BaseMessage } from '@langchain/core/messages';
import type { ToolCall } from '../../contracts/agent-activities.ts';
import { ToolName } from '../../contracts/agent-task.ts';
import type { Guard } from '../guardrails/index.ts';
import { llmFailure } from './models/failure.ts';
import { TOOLS } from './tools/index.ts';

export interface ThinkOptions {
  readonly model: BaseChatModel;
  readonly messages: BaseMessage[];
  /** Names of the tools that the model is told of. */
  readonly tools: readonly string[];
  readonly guard: Guard;
  /** Names the calls of this thought: `call_<step>_<index>`. */
  readonly step: number;
  readonly signal?: AbortSignal;
}

export interface ModelTurn {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly tokens: number;
  /** Filters that removed something. */
  readonly rules: readonly string[];
}

/** Calls in one thought; a model that wants more than this is not working on the question. */
const MOST_CALLS = 8;
const MOST_ARGUMENT_BYTES = 4096;
const MOST_TEXT = 8000;
/** Characters a token, at the most, for servers that do not count, or count wrongly. */
const CHARACTERS_PER_TOKEN = 4;

/**
 * One call of the model, and what of its reply may go on. Nothing that the model wrote is trusted: text is filtered and
 * bounded, calls get ids of ours, and arguments that are no small JSON object are marked, for the policy to refuse.
 * @throws AgentError LLM_UNAVAILABLE, LLM_REJECTED; HeavyError; the signal's reason
 */
export async function think({ model, messages, tools, guard, step, signal }: ThinkOptions): Promise<ModelTurn> {
  const reply = await ask(model, messages, tools, signal);
  const { value: text, rules } = guard.thought(reply.text.slice(0, MOST_TEXT));
  const wanted = callsOf(reply);
  const found = new Set(rules);
  if (wanted.length > MOST_CALLS) found.add('calls.too-many');
  const calls = wanted.slice(0, MOST_CALLS).map(({ name, args }, index): ToolCall => {
    const id = `call_${step}_${index}`;
    const checked = checkArguments(args, guard);
    for (const rule of checked.rules) found.add(rule);
    return { id, tool: ToolName.safeParse(name).data ?? 'unknown', ...checked.call };
  });
  return { text, calls, tokens: tokensOf(reply, messages), rules: [...found].sort() };
}

async function ask(
  model: BaseChatModel,
  messages: BaseMessage[],
  tools: readonly string[],
  signal: AbortSignal | undefined,
): Promise<AIMessage> {
  const offered = TOOLS.filter(({ name }) => tools.includes(name)).map(({ name, description, schema }) => ({
    name,
    description,
    schema,
  }));
  const bound = offered.length > 0 && model.bindTools !== undefined ? model.bindTools(offered) : model;
  try {
    return await bound.invoke(messages, { callbacks: [], ...(signal && { signal }) });
  } catch (error) {
    throw llmFailure(error, signal);
  }
}

interface Wanted {
  readonly name: unknown;
  /** Undefined where it was no JSON object. */
  readonly args: unknown;
}

function callsOf({ tool_calls = [], invalid_tool_calls = [] }: AIMessage): Wanted[] {
  return [
    ...tool_calls.map(({ name, args }) => ({ name, args })),
    ...invalid_tool_calls.map(({ name }) => ({ name, args: undefined })),
  ];
}

function checkArguments(
  args: unknown,
  guard: Guard,
): { readonly call: Pick<ToolCall, 'arguments' | 'malformed'>; readonly rules: readonly string[] } {
  const malformed = (why: string) => ({ call: { arguments: {}, malformed: why }, rules: [] });
  if (typeof args !== 'object' || args === null || Array.isArray(args)) return malformed('arguments-not-an-object');
  if (Buffer.byteLength(JSON.stringify(args)) > MOST_ARGUMENT_BYTES) return malformed('arguments-too-large');
  const { value, rules } = guard.data(args);
  return { call: { arguments: value as Record<string, unknown> }, rules };
}

/** At least what the length of the texts says, whatever the server counted. */
function tokensOf(reply: AIMessage, messages: readonly BaseMessage[]): number {
  const characters = messages.reduce((sum, { text }) => sum + text.length, reply.text.length);
  const counted = reply.usage_metadata?.total_tokens ?? 0;
  return Math.max(Number.isSafeInteger(counted) ? counted : 0, Math.ceil(characters / CHARACTERS_PER_TOKEN));
}

import { BaseChatModel } from '@langchain/core/language_models/chat_models';
import type { BaseChatModelCallOptions, BindToolsInput } from '@langchain/core/language_models/chat_models';
import type { BaseLanguageModelInput } from '@langchain/core/language_models/base';
import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import type { AIMessageChunk, BaseMessage } from '@langchain/core/messages';
import type { ChatResult } from '@langchain/core/outputs';
import type { Runnable } from '@langchain/core/runnables';
import { z } from 'zod';
import { runChild } from '../../heavy/index.ts';
import { TOOLS } from '../tools/index.ts';
import type { AgentTool } from '../tools/tool.ts';
import { replySchema } from './grammar.ts';
import type { LlamaJob, LlamaProgress, LlamaReply, LlamaTurn } from './llama-job.ts';

export interface EmbeddedModelOptions {
  /** GGUF of an instruction-tuned model. */
  readonly file: string;
  readonly threads: number;
  readonly temperature: number;
  readonly seed: number;
  readonly maxTokens: number;
  /** Called while the child works: it loads, then with every token. */
  readonly onProgress?: () => void;
}

interface CallOptions extends BaseChatModelCallOptions {
  readonly tools?: readonly AgentTool[];
}

const Reply = z.union([
  z.object({ tool: z.string(), arguments: z.record(z.string(), z.unknown()) }),
  z.object({ answer: z.string() }),
]);

/** The child holds weights and context; far above what a model of this size needs. */
const MEMORY_BYTES = 1.5 * 2 ** 30;

/**
 * A LangChain chat model over node-llama-cpp. One call is one child process, since the native code blocks its event
 * loop: a cancellation kills it, and nothing is left of it between two calls. A grammar over the schemas of the bound
 * tools makes every reply a well-formed call or an answer. What a small model cannot be trusted with is decided here: it
 * looks something up before it answers, uses each tool once, and takes names and versions from what was said.
 */
export class EmbeddedChatModel extends BaseChatModel<CallOptions> {
  readonly #options: EmbeddedModelOptions;

  constructor(options: EmbeddedModelOptions) {
    super({ maxRetries: 0, cache: false });
    this.#options = options;
  }

  override _llmType(): string {
    return 'saip-embedded';
  }

  /** @param tools tools of this platform by name; others cannot be bound */
  override bindTools(tools: BindToolsInput[]): Runnable<BaseLanguageModelInput, AIMessageChunk, CallOptions> {
    const names = tools.map((tool): unknown => ('name' in tool ? tool.name : undefined));
    return this.withConfig({ tools: TOOLS.filter(({ name }) => names.includes(name)) });
  }

  /** @throws HeavyError when the child dies, AgentError when the conversation is too long; the signal's reason */
  override async _generate(
    messages: BaseMessage[],
    { tools = [], signal }: this['ParsedCallOptions'],
  ): Promise<ChatResult> {
    const { file, threads, temperature, seed, maxTokens, onProgress } = this.#options;
    const used = new Set(messages.flatMap((message) => (message instanceof ToolMessage ? [message.name] : [])));
    const offered = tools.filter(({ name }) => !used.has(name));
    const job: LlamaJob = {
      ...{ file, threads, temperature, seed, maxTokens },
      turns: turnsOf(messages, offered),
      schema: replySchema({
        tools: offered,
        mayAnswer: used.size > 0,
        said: messages.flatMap((message) => (isSaid(message) ? [message.text] : [])).join('\n'),
      }),
    };
    const reply = await runChild<LlamaReply, LlamaProgress>({
      entry: new URL('./llama-child.ts', import.meta.url),
      input: job,
      memoryBytes: MEMORY_BYTES,
      ...(signal && { signal }),
      onReport: () => onProgress?.(),
    });
    const message = messageOf(reply);
    return { generations: [{ text: message.text, message }] };
  }
}

/** What people asked and tools returned. */
function isSaid(message: BaseMessage): boolean {
  return message instanceof HumanMessage || message instanceof ToolMessage;
}

function messageOf({ text, promptTokens, answerTokens }: LlamaReply): AIMessage {
  const usage_metadata = {
    input_tokens: promptTokens,
    output_tokens: answerTokens,
    total_tokens: promptTokens + answerTokens,
  };
  const parsed = Reply.safeParse(parseJson(text));
  if (!parsed.success) return new AIMessage({ content: text, usage_metadata });
  if ('answer' in parsed.data) return new AIMessage({ content: parsed.data.answer, usage_metadata });
  const { tool, arguments: args } = parsed.data;
  return new AIMessage({ content: '', tool_calls: [{ id: 'call', name: tool, args }], usage_metadata });
}

/** What a model wrote when its tokens ran out is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The conversation in the three roles that small models were trained on. Tools are described beside the question, and
 * results come with the question repeated: what is far away in the text is forgotten.
 */
function turnsOf(messages: readonly BaseMessage[], tools: readonly AgentTool[]): LlamaTurn[] {
  const question = messages.find((message) => message instanceof HumanMessage)?.text ?? '';
  const results = messages.filter((message) => message instanceof ToolMessage);
  const system = messages.find((message) => message instanceof SystemMessage)?.text ?? '';
  const found = results.map(({ name, text }) => `${name}: ${text}`);
  const asked = found.length === 0 ? question : `${found.join('\n')}\n\nQuestion: ${question}`;
  return [
    { type: 'system', text: system },
    { type: 'user', text: `${asked}\n\n${manual(tools, found.length > 0)}` },
  ];
}

function manual(tools: readonly AgentTool[], mayAnswer: boolean): string {
  const lines = tools.map(({ name, description }) => `- ${name}: ${description}`);
  const call =
    tools.length === 0 ? [] : ['Tools:', ...lines, 'To use a tool, write {"tool": "name", "arguments": {}}.'];
  return [...call, ...(mayAnswer ? ['To answer in one sentence, write {"answer": "sentence"}.'] : [])].join('\n');
}

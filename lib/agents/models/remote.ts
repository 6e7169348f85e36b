import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { boundedFetch } from './bounded-fetch.ts';

export interface RemoteModelOptions {
  /** Base URL with `/v1`. */
  readonly url: string;
  /** What the server calls the model. */
  readonly name: string;
  /** Absent where the server needs none. */
  readonly apiKey: string | undefined;
  readonly temperature: number;
  readonly seed: number;
  readonly maxTokens: number;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 120_000;

/** LangChain's client sends a key in any case. */
const NO_KEY = 'none';

/**
 * A chat model of any OpenAI-compatible server (chat completions). Nothing is repeated here: Temporal repeats the
 * activity. The answer of the server is bounded in size, and redirects are refused.
 */
export async function remoteChatModel(options: RemoteModelOptions): Promise<BaseChatModel> {
  const { url, name, apiKey, temperature, seed, maxTokens, timeoutMs = TIMEOUT_MS } = options;
  // Loaded where a remote model is called, because it costs a process some 80 MB.
  const { initChatModel } = await import('langchain/chat_models/universal');
  return initChatModel(name, {
    modelProvider: 'openai',
    apiKey: apiKey ?? NO_KEY,
    temperature,
    maxTokens,
    timeout: timeoutMs,
    maxRetries: 0,
    cache: false,
    useResponsesApi: false,
    modelKwargs: { seed },
    // Organisation and project would be taken from the environment.
    configuration: { baseURL: url, organization: null, project: null, fetch: boundedFetch },
  });
}

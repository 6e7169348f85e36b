import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A tool call as a model would write it; `arguments` that are no string are written as JSON. */
export interface ScriptedCall {
  readonly name: string;
  readonly arguments: unknown;
}

/** One answer of the server: text, calls, both, or whatever the test writes itself. */
export type Reply =
  | { readonly text?: string; readonly calls?: readonly ScriptedCall[]; readonly tokens?: number }
  | ((response: ServerResponse) => void);

export interface ChatRequest {
  readonly headers: IncomingMessage['headers'];
  readonly body: {
    readonly messages: readonly { readonly role: string; readonly content?: unknown; readonly tool_calls?: unknown }[];
    readonly tools?: readonly { readonly function: { readonly name: string } }[];
  } & Record<string, unknown>;
  readonly text: string;
}

/** A real OpenAI-compatible server whose model says what a test wants, right or hostile. */
export class ScriptedServer {
  /** Since the test cleared it. */
  readonly requests: ChatRequest[] = [];
  /** All of them. */
  readonly seen: ChatRequest[] = [];
  readonly #server: Server;
  /** Asked for each request; by default the server is an honest one without anything to say. */
  reply: (request: ChatRequest) => Reply | Promise<Reply> = () => ({ text: 'I do not know.' });

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<ScriptedServer> {
    const scripted = new ScriptedServer();
    await new Promise<void>((resolve) => scripted.#server.listen(0, '127.0.0.1', resolve));
    return scripted;
  }

  /** Base URL, as `SAIP_LLM_URL` takes it. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const asked: ChatRequest = { headers: request.headers, body: JSON.parse(text) as ChatRequest['body'], text };
    this.requests.push(asked);
    this.seen.push(asked);
    const reply = await this.reply(asked);
    if (typeof reply === 'function') return reply(response);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(completion(reply)));
  }
}

function completion({
  text = '',
  calls = [],
  tokens = 50,
}: Exclude<Reply, (response: ServerResponse) => void>): object {
  const tool_calls = calls.map(({ name, arguments: args }, index) => ({
    id: `x${index}`,
    type: 'function',
    function: { name, arguments: typeof args === 'string' ? args : JSON.stringify(args) },
  }));
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 0,
    model: 'scripted',
    choices: [
      {
        index: 0,
        finish_reason: calls.length > 0 ? 'tool_calls' : 'stop',
        message: { role: 'assistant', content: text, ...(calls.length > 0 && { tool_calls }) },
      },
    ],
    usage: { prompt_tokens: tokens, completion_tokens: 0, total_tokens: tokens },
  };
}

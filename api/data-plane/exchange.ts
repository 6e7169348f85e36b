import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from '../errors.ts';
import { endUnread, refused, type Logger } from '../http/error-handler.ts';
import { PROBLEM_MEDIA_TYPE } from '../http/problem.ts';
import type { RawAnswer } from '../http/route.ts';
import type { RequestTrace } from '../http/trace.ts';

export interface ExchangeOptions {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly trace: RequestTrace;
  /** Names and values, in turn, of every answer. */
  readonly headers: readonly string[];
  readonly logger: Logger;
}

/** One request and its one answer. Whoever answers first, the handler or its deadline, has answered. */
export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #added = new Map<string, string>();
  #over: ApiError | undefined;
  #answered = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /** Why nobody waits for the answer any more. */
  get over(): ApiError | undefined {
    return this.#over;
  }

  /** Adds a header to the answer, or replaces the one that was added before. */
  setHeader(name: string, value: string): void {
    this.#added.set(name, value);
  }

  /** Answers `UNAVAILABLE` unless the answer is there in so many milliseconds. */
  limit(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      this.#over = new ApiError('UNAVAILABLE', `No answer was ready within ${String(milliseconds / 1000)} s.`);
      this.refuse(this.#over);
    }, milliseconds);
  }

  /** The connection is closed: after the answer, or before it by the client. */
  closed(): void {
    clearTimeout(this.#timer);
    if (!this.#answered) this.#over ??= new ApiError('UNAVAILABLE', 'The client closed the connection.');
  }

  answer(status: number, { headers, body }: RawAnswer): void {
    this.#write(status, headers, body);
  }

  /** Answers with problem details. */
  refuse(error: unknown): void {
    if (this.#answered) return;
    const { request, path, trace, logger, response } = this.#options;
    const { status, headers, body } = refused(
      error,
      { method: request.method ?? '', path, traceId: trace.traceId },
      logger,
    );
    endUnread(request, response);
    this.#write(status, { ...headers, 'Content-Type': `${PROBLEM_MEDIA_TYPE}; charset=utf-8` }, body);
  }

  #write(status: number, headers: RawAnswer['headers'], body: RawAnswer['body']): void {
    clearTimeout(this.#timer);
    const { response, trace } = this.#options;
    if (this.#answered || response.destroyed) return;
    this.#answered = true;
    const own = ['traceparent', trace.traceparent, 'Content-Length', String(Buffer.byteLength(body))];
    for (const [name, value] of Object.entries(headers)) own.push(name, value);
    for (const [name, value] of this.#added) own.push(name, value);
    response.writeHead(status, [...this.#options.headers, ...own]);
    response.end(body);
  }
}

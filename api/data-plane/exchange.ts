import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from '../errors.ts';
import { READ_MS } from '../http/body.ts';
import { endUnread, refused, type Logger } from '../http/error-handler.ts';
import { PROBLEM_MEDIA_TYPE } from '../http/problem.ts';
import type { RawAnswer } from '../http/route.ts';
import type { RequestTrace } from '../http/trace.ts';
import { isShort, type Deadlines, type Ending } from './deadlines.ts';

export interface ExchangeOptions {
  readonly deadlines: Deadlines;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly trace: RequestTrace;
  /** Names and values, in turn, of every answer. */
  readonly headers: readonly string[];
  readonly logger: Logger;
}

/** Bytes that are copied behind the head rather than sent on their own. */
const SHORT_BODY = 16 * 1024;

/** One request and its one answer. Whoever answers first, the handler or its deadline, has answered. */
export class Exchange implements Ending {
  readonly #options: ExchangeOptions;
  readonly #added: string[] = [];
  #over: ApiError | undefined;
  #answered = false;
  #timer: NodeJS.Timeout | undefined;
  /** Milliseconds that the handler has; undefined while the request is still coming. */
  #patience: number | undefined;
  endsAt = performance.now() + READ_MS;
  place: number | undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    options.deadlines.add(this);
  }

  /** Why nobody waits for the answer any more. */
  get over(): ApiError | undefined {
    return this.#over;
  }

  /** Adds a header to the answer, or replaces the one that was added before. */
  setHeader(name: string, value: string): void {
    const known = this.#added.indexOf(name);
    if (known < 0) this.#added.push(name, value);
    else this.#added[known + 1] = value;
  }

  /** Answers `UNAVAILABLE` unless the answer is there in so many milliseconds; the shortest of all limits counts. */
  limit(milliseconds: number): void {
    const endsAt = performance.now() + milliseconds;
    if (this.#patience !== undefined && endsAt >= this.endsAt) return;
    this.#patience = milliseconds;
    this.endsAt = endsAt;
    clearTimeout(this.#timer);
    if (isShort(milliseconds)) this.#timer = setTimeout(() => this.end(), milliseconds);
  }

  /** Time is up: for the client to send its request, or for the answer. */
  end(): void {
    if (this.#patience === undefined) {
      this.#options.request.destroy();
      return;
    }
    this.#over ??= new ApiError('UNAVAILABLE', `No answer was ready within ${String(this.#patience / 1000)} s.`);
    this.refuse(this.#over);
  }

  /** The connection is closed: after the answer, or before it by the client. */
  closed(): void {
    this.#options.deadlines.delete(this);
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
    const { deadlines, response, trace } = this.#options;
    deadlines.delete(this);
    if (this.#answered || response.destroyed) return;
    this.#answered = true;
    const all = this.#options.headers.slice();
    all.push('traceparent', trace.traceparent, 'Content-Length', String(Buffer.byteLength(body)));
    for (const name in headers) all.push(name, headers[name] ?? '');
    for (const text of this.#added) all.push(text);
    response.writeHead(status, all);
    // Short bytes leave together with the head, as text does: two parts would cost a second call of the system.
    if (typeof body === 'string' || body.length > SHORT_BODY) response.end(body);
    else response.end(body.toString('latin1'), 'latin1');
  }
}

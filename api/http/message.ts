import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ApiError, type ApiErrorCode } from '../errors.ts';
import { endUnread, refused, type Logger, type Refused } from './error-handler.ts';
import { PROBLEM_MEDIA_TYPE } from './problem.ts';
import { randomHex } from './random-hex.ts';
import { securityHeaders } from './security.ts';

/**
 * Header fields that a request has once. Of two hosts and of two tokens Node keeps the first, and two API keys it joins;
 * a proxy before it may have looked at the other one.
 */
const ONCE: ReadonlyMap<string, number> = new Map([
  ['host', 1],
  ['authorization', 2],
  ['x-api-key', 4],
]);
const LENGTHS: ReadonlySet<number> = new Set([...ONCE.keys()].map((name) => name.length));

/** @returns what is wrong with the head of a message that Node takes */
export function faultOf(
  request: Pick<IncomingMessage, 'rawHeaders' | 'headers' | 'httpVersion'>,
): ApiError | undefined {
  const { rawHeaders } = request;
  let seen = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (!LENGTHS.has(name.length)) continue;
    const field = name.toLowerCase();
    const bit = ONCE.get(field) ?? 0;
    if ((seen & bit) !== 0) return invalid(`The request has the header ${field} more than once.`, field);
    seen |= bit;
  }
  if ((seen & 1) !== 0 || request.httpVersion !== '1.1') return undefined;
  return invalid('The request names no host.', 'host');
}

function invalid(message: string, field: string): ApiError {
  return new ApiError('REQUEST_INVALID', message, { field: `header.${field}` });
}

/** What Node's parser and its clocks say, where that is not simply a malformed request. */
const BROKEN: Readonly<Record<string, readonly [ApiErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['REQUEST_HEADERS_TOO_LARGE', 'The headers of the request are larger than this server takes.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['REQUEST_TOO_LARGE', 'The extensions of a chunk are larger than this server takes.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'The request did not arrive in time.'],
};

/** How long a client that is still sending has to notice that it was answered. */
const NOTICE_MS = 2_000;

/** Answers what never becomes a request of a route: with problem details, and the end of the connection. */
export class MessageRefusals {
  readonly #logger: Logger;
  readonly #headers: readonly string[];

  /** @param https true when clients reach the API by https */
  constructor({ logger, https }: { readonly logger: Logger; readonly https: boolean }) {
    this.#logger = logger;
    this.#headers = securityHeaders(https);
  }

  /** Answers a request whose head is at fault. */
  request(fault: ApiError, request: IncomingMessage, response: ServerResponse): void {
    const { status, headers, body } = this.#refused(fault);
    endUnread(request, response);
    response.writeHead(status, this.#all(headers, body));
    response.end(body);
  }

  /**
   * Answers a connection on which there is no request, or none any more: Node itself would send no more than a status.
   * @param begun an answer is on its way there already: another one would be taken for a part of it
   */
  connection(error: NodeJS.ErrnoException, socket: Duplex, begun: boolean): void {
    // One that was answered, and goes on sending.
    if (socket.writableEnded) return;
    if (begun || !socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const [code, message] = BROKEN[error.code ?? ''] ?? ['REQUEST_INVALID', 'The request is not correct HTTP.'];
    const { status, headers, body } = this.#refused(new ApiError(code, message));
    const fields = this.#all(headers, body);
    const lines = [`HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}`];
    for (let at = 0; at < fields.length; at += 2) lines.push(`${String(fields[at])}: ${String(fields[at + 1])}`);
    // Read to its end: to close on bytes that nobody read would take the answer from the client.
    socket.resume().end(`${lines.join('\r\n')}\r\n\r\n${body}`);
    setTimeout(() => socket.destroy(), NOTICE_MS).unref();
  }

  #refused(error: ApiError): Refused {
    // Nothing that such a message says is worth repeating, not even its path.
    return refused(error, { method: '', path: '', traceId: randomHex(16) }, this.#logger);
  }

  #all(headers: Refused['headers'], body: string): string[] {
    const type = ['Content-Type', `${PROBLEM_MEDIA_TYPE}; charset=utf-8`];
    const end = ['Content-Length', String(Buffer.byteLength(body)), 'Connection', 'close'];
    return [...this.#headers, ...Object.entries(headers).flat(), ...type, ...end];
  }
}

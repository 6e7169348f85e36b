import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { ErrorCode } from '../../contracts/errors.ts';
import { ApiError } from '../errors.ts';
import { PROBLEM_MEDIA_TYPE, meaningOf, problemOf } from './problem.ts';
import { traceIdOf } from './trace.ts';

/** The part of a pino logger that the HTTP layer uses. */
export interface Logger {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
}

/** Error codes of RFC 6749 section 5.2 for clients of the token endpoint that know only those. */
const OAUTH_ERRORS: Partial<Record<ErrorCode, string>> = {
  REQUEST_INVALID: 'invalid_request',
  UNSUPPORTED_MEDIA_TYPE: 'invalid_request',
  CLIENT_CREDENTIALS_INVALID: 'invalid_client',
  FORBIDDEN: 'invalid_scope',
  SUBJECT_TOKEN_INVALID: 'invalid_request',
  TOKEN_EXCHANGE_OFF: 'unsupported_grant_type',
};

export function notFound(): RequestHandler {
  return (request) => {
    throw new ApiError('NOT_FOUND', `Nothing is at ${request.path}.`);
  };
}

/** What is answered instead of a result, whoever answers it. */
export interface Refused {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Problem details as JSON. */
  readonly body: string;
}

/** Every error leaves as problem details, and what the server did wrong is logged with its stack. */
export function refused(
  error: unknown,
  { method, path, traceId }: { readonly method: string; readonly path: string; readonly traceId: string },
  logger: Logger,
): Refused {
  const meaning = meaningOf(error);
  const problem = problemOf(meaning, { instance: path, traceId });
  const fields = { traceId, method, path, code: problem.code };
  if (problem.status >= 500) logger.error({ ...fields, err: error }, problem.detail);
  else logger.info(fields, problem.detail);
  if (path.startsWith('/v2')) problem.error = problem.detail;
  if (path === '/v1/auth/token') problem.error = OAUTH_ERRORS[meaning.code] ?? 'server_error';
  const { status, code } = problem;
  const headers = { ...meaning.headers, ...(status === 401 && { 'WWW-Authenticate': challenge(code) }) };
  return { status, headers, body: JSON.stringify(problem) };
}

/** The last handler of Express. */
export function errorHandler(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const at = { method: request.method, path: request.path, traceId: traceIdOf(response) };
    const { status, headers, body } = refused(error, at, logger);
    if (response.headersSent) {
      // The status is out already; cutting the connection is what tells the client that the body is not whole.
      response.destroy();
      return;
    }
    endUnread(request, response);
    response.set(headers).status(status).type(PROBLEM_MEDIA_TYPE).send(body);
  };
}

/** How long a client that is still sending has to notice that it was answered. */
const UNREAD_MS = 5_000;

/** Ends the connection of a body that nobody will read, but not before the answer was heard. */
export function endUnread(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete) return;
  response.once('finish', () => {
    const cut = setTimeout(() => request.complete || request.destroy(), UNREAD_MS);
    cut.unref();
  });
}

/** RFC 6750 section 3: no error code when no token was sent at all. */
function challenge(code: string): string {
  if (code === 'CLIENT_CREDENTIALS_INVALID') return 'Basic realm="saip"';
  return code === 'UNAUTHENTICATED' ? 'Bearer realm="saip"' : 'Bearer realm="saip", error="invalid_token"';
}

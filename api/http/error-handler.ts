import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
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

/** The last handler: every error leaves as problem details, and what the server did wrong is logged with its stack. */
export function errorHandler(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const meaning = meaningOf(error);
    const traceId = traceIdOf(response);
    const problem = problemOf(meaning, { instance: request.path, traceId });
    const fields = { traceId, method: request.method, path: request.path, code: problem.code };
    if (problem.status >= 500) logger.error({ ...fields, err: error }, problem.detail);
    else logger.info(fields, problem.detail);
    if (response.headersSent) {
      // The status is out already; cutting the connection is what tells the client that the body is not whole.
      response.destroy();
      return;
    }
    response.set(meaning.headers ?? {});
    if (problem.status === 401) response.set('WWW-Authenticate', challenge(problem.code));
    if (request.path.startsWith('/v2')) problem.error = problem.detail;
    if (request.path === '/v1/auth/token') problem.error = OAUTH_ERRORS[meaning.code] ?? 'server_error';
    if (!request.complete) endUnread(request, response);
    response.status(problem.status).type(PROBLEM_MEDIA_TYPE).send(JSON.stringify(problem));
  };
}

/** How long a client that is still sending has to notice that it was answered. */
const UNREAD_MS = 5_000;

/** Ends the connection of a body that nobody will read, but not before the answer was heard. */
function endUnread(request: Request, response: Response): void {
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

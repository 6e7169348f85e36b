import express, { type Request, type RequestHandler, type Response } from 'express';
import { ApiError } from '../errors.ts';
import type { BodyType, Route } from './route.ts';

const DEFAULT_LIMIT = 256 * 1024;
/** How long a client may take to send a body; files have longer, by the server's own limit. */
const READ_MS = 60_000;
const DEFAULT_TYPES: readonly BodyType[] = ['application/json'];

/**
 * Reads the body of one route with its own limit and media types. Runs after the permission check, so that nobody
 * can make the server read what they may not send.
 */
export function bodyReader(route: Route): (request: Request, response: Response) => Promise<unknown> {
  const limit = route.bodyLimit ?? DEFAULT_LIMIT;
  const types = route.bodyTypes ?? DEFAULT_TYPES;
  const parsers: Record<BodyType, RequestHandler> = {
    'application/json': express.json({ limit, strict: false }),
    'application/x-www-form-urlencoded': express.urlencoded({ limit, extended: false, parameterLimit: 20 }),
  };
  return async (request, response) => {
    if (!hasBody(request)) {
      if (route.bodyOptional === true) return {};
      throw new ApiError('REQUEST_INVALID', 'The request has no body.', { field: 'body' });
    }
    const type = types.find((candidate) => request.is(candidate) !== false);
    if (type === undefined) {
      throw new ApiError('UNSUPPORTED_MEDIA_TYPE', `Send ${types.join(' or ')}.`, {
        field: 'header.content-type',
        headers: { Accept: types.join(', ') },
      });
    }
    const late = setTimeout(() => request.destroy(), READ_MS).unref();
    await run(parsers[type], request, response).finally(() => clearTimeout(late));
    return request.body as unknown;
  };
}

/** RFC 9112: a body is there when its length or a transfer coding is announced; an announced 0 is none. */
function hasBody(request: Request): boolean {
  if (request.headers['transfer-encoding'] !== undefined) return true;
  const length = request.headers['content-length'];
  return length !== undefined && length !== '0';
}

function run(handler: RequestHandler, request: Request, response: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    const settled = (error?: unknown): void => {
      if (error === undefined || error === null) resolve();
      else reject(error instanceof Error ? error : new Error('The body cannot be read.', { cause: error }));
    };
    void handler(request, response, settled);
  });
}

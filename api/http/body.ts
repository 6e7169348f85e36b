import type { IncomingMessage } from 'node:http';
import express, { type Request, type RequestHandler, type Response } from 'express';
import { ApiError } from '../errors.ts';
import { checkJsonText } from './json-text.ts';
import type { BodyType, Route } from './route.ts';
import { validate } from './validate.ts';

export const DEFAULT_LIMIT = 256 * 1024;
/** How long a client may take to send a body; files have longer, by the server's own limit. */
export const READ_MS = 60_000;
export const DEFAULT_TYPES: readonly BodyType[] = ['application/json'];

/**
 * Reads and checks the body of one route with its own limit and media types. Runs after the permission check, so that
 * nobody can make the server read what they may not send.
 */
export function bodyReader(route: Route): (request: Request, response: Response) => Promise<unknown> {
  const limit = route.bodyLimit ?? DEFAULT_LIMIT;
  const types = route.bodyTypes ?? DEFAULT_TYPES;
  const parsers: Record<BodyType, RequestHandler> = {
    'application/json': express.json({
      limit,
      strict: false,
      type: () => true,
      verify: (_request, _response, bytes) => checkJsonText(bytes),
    }),
    'application/x-www-form-urlencoded': express.urlencoded({ limit, extended: false, parameterLimit: 20 }),
    'application/octet-stream': express.raw({ limit, type: () => true }),
  };
  return async (request, response) => {
    if (!hasBody(request)) {
      if (route.bodyOptional === true) return check(route, {});
      throw noBody();
    }
    const untyped = route.untyped === true && request.headers['content-type'] === undefined;
    const type = untyped ? types[0] : types.find((candidate) => request.is(candidate) !== false);
    if (type === undefined) {
      throw otherType(types);
    }
    const late = setTimeout(() => request.destroy(), READ_MS).unref();
    await run(parsers[type], request, response)
      .catch((error: unknown) => refuseEncoding(error, request))
      .finally(() => clearTimeout(late));
    return check(route, request.body as unknown);
  };
}

/** What unpacks a body gives its errors no type of the body reader's. */
export function refuseEncoding(error: unknown, { headers }: IncomingMessage): never {
  const typed = error instanceof ApiError || (error instanceof Error && 'type' in error);
  if (typed || headers['content-encoding'] === undefined) throw error;
  throw new ApiError('REQUEST_INVALID', 'The body is not what its content encoding says.', {
    field: 'header.content-encoding',
    cause: error,
  });
}

function check({ body }: Route, value: unknown): unknown {
  return body === undefined ? undefined : validate(body, value, 'body');
}

/** RFC 9112: a body is there when its length or a transfer coding is announced; an announced 0 is none. */
export function hasBody(request: IncomingMessage): boolean {
  if (request.headers['transfer-encoding'] !== undefined) return true;
  const length = request.headers['content-length'];
  return length !== undefined && length !== '0';
}

export function noBody(): ApiError {
  return new ApiError('REQUEST_INVALID', 'The request has no body.', { field: 'body' });
}

export function otherType(types: readonly string[]): ApiError {
  return new ApiError('UNSUPPORTED_MEDIA_TYPE', `Send ${types.join(' or ')}.`, {
    field: 'header.content-type',
    headers: { Accept: types.join(', ') },
  });
}

/** Runs one handler of Express to its end. */
export function run(handler: RequestHandler, request: Request, response: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    const settled = (error?: unknown): void => {
      if (error === undefined || error === null) resolve();
      else reject(error instanceof Error ? error : new Error('The body cannot be read.', { cause: error }));
    };
    void handler(request, response, settled);
  });
}

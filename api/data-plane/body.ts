import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type Request, type Response } from 'express';
import { ApiError } from '../errors.ts';
import { DEFAULT_LIMIT, DEFAULT_TYPES, hasBody, noBody, otherType, refuseEncoding, run } from '../http/body.ts';
import type { Route } from '../http/route.ts';

type Reader = (request: IncomingMessage, response: ServerResponse) => Promise<Buffer>;

/**
 * Reads whole bodies of one route, with its limit and media types; how long that may take is the exchange's to say. Those with a content coding take the way through
 * Express's reader, which counts the bytes that come out.
 * @throws {ApiError} `REQUEST_INVALID`, `UNSUPPORTED_MEDIA_TYPE`, `REQUEST_TOO_LARGE`
 */
export function rawBodyReader(route: Pick<Route, 'bodyLimit' | 'bodyTypes' | 'untyped'>): Reader {
  const limit = route.bodyLimit ?? DEFAULT_LIMIT;
  const types: readonly string[] = route.bodyTypes ?? DEFAULT_TYPES;
  const decoded = express.raw({ limit, type: () => true });
  return async (request, response) => {
    if (!hasBody(request)) throw noBody();
    const { 'content-type': type } = request.headers;
    if (type !== undefined || route.untyped !== true) checkType(type, types);
    const coding = request.headers['content-encoding'] ?? 'identity';
    if (coding.toLowerCase() === 'identity') return collect(request, limit);
    // The reader of Express uses nothing of a request but what Node's own has.
    await run(decoded, request as Request, response as Response).catch((error: unknown) =>
      refuseEncoding(error, request),
    );
    const body: unknown = (request as Request).body;
    // Of a request whose connection broke meanwhile nothing is read.
    if (Buffer.isBuffer(body)) return body;
    throw new ApiError('REQUEST_INVALID', 'The body ended before its end.', { field: 'body' });
  };
}

function checkType(header: string | undefined, types: readonly string[]): void {
  if (header !== undefined && types.includes(header)) return;
  const [type = '', ...parameters] = (header ?? '').split(';');
  if (!types.includes(type.trim().toLowerCase())) throw otherType(types);
  const charset = parameters.map((text) => /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/i.exec(text)?.[1]).find(Boolean);
  if (charset === undefined || charset.toLowerCase() === 'utf-8') return;
  throw new ApiError('UNSUPPORTED_MEDIA_TYPE', 'The charset is not supported.', { field: 'header.content-type' });
}

function collect(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length']) > limit) throw tooLarge();
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (): void => {
      request.off('data', onData).off('end', onEnd).off('close', onClose);
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes <= limit) {
        chunks.push(chunk);
        return;
      }
      settle();
      request.pause();
      reject(tooLarge());
    };
    const onEnd = (): void => {
      settle();
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, bytes));
    };
    const onClose = (): void => {
      settle();
      reject(new ApiError('REQUEST_INVALID', 'The body ended before its announced length.', { field: 'body' }));
    };
    request.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}

function tooLarge(): ApiError {
  return new ApiError('REQUEST_TOO_LARGE', 'The body is larger than this route takes.');
}

import type { Request } from 'express';
import { ApiError } from '../errors.ts';
import type { UploadBody } from './route.ts';

/**
 * The bytes of a request as they come, for files that are not held in memory. Reading them slowly makes the client send
 * slowly.
 * @throws ApiError UNSUPPORTED_MEDIA_TYPE, REQUEST_TOO_LARGE as soon as that is known, REQUEST_INVALID where the client
 * goes away or there is no body
 */
export async function* uploadedBytes(request: Request, { types, limit }: UploadBody): AsyncGenerator<Uint8Array> {
  const { 'content-encoding': encoding = 'identity', 'content-length': announced } = request.headers;
  if (request.is([...types]) === false || encoding !== 'identity') {
    throw new ApiError('UNSUPPORTED_MEDIA_TYPE', `Send ${types.join(' or ')}, without a content encoding.`, {
      field: 'header.content-type',
      headers: { Accept: types.join(', ') },
    });
  }
  if (Number(announced) > limit) throw tooLarge(limit);
  let bytes = 0;
  try {
    // Left open on the way out, so that an answer can still be sent.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      const piece = chunk as Uint8Array;
      bytes += piece.byteLength;
      if (bytes > limit) throw tooLarge(limit);
      yield piece;
    }
  } catch (error) {
    if (error instanceof ApiError || !request.readableAborted) throw error;
    throw new ApiError('REQUEST_INVALID', 'The body ended before its end.', { field: 'body', cause: error });
  }
  if (bytes === 0) throw new ApiError('REQUEST_INVALID', 'The request has no body.', { field: 'body' });
}

function tooLarge(limit: number): ApiError {
  return new ApiError('REQUEST_TOO_LARGE', `At most ${String(limit / 2 ** 20)} MiB are taken.`, { field: 'body' });
}

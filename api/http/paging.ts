import type { z } from 'zod';
import { ApiError } from '../errors.ts';

/** Cuts a page out of `limit + 1` rows; the row too many only says that there is a next page. */
export function pageOf<T>(
  rows: readonly T[],
  limit: number,
  cursor: (last: T) => string,
): { items: T[]; nextPageToken?: string } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  if (rows.length <= limit || last === undefined) return { items };
  return { items, nextPageToken: Buffer.from(cursor(last)).toString('base64url') };
}

/** @throws {ApiError} `REQUEST_INVALID` for a token that no page of this list ended with */
export function readToken<T>(token: string | undefined, schema: z.ZodType<T>): T | undefined {
  if (token === undefined) return undefined;
  const parsed = schema.safeParse(Buffer.from(token, 'base64url').toString('utf8'));
  if (parsed.success) return parsed.data;
  throw new ApiError('REQUEST_INVALID', 'This page token is none of this list.', { field: 'query.pageToken' });
}

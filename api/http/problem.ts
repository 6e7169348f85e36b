import { STATUS_CODES } from 'node:http';
import { ERRORS, isSaipError, type ErrorCode } from '../../contracts/errors.ts';
import type { FieldError, Problem } from '../../contracts/api.ts';
import { DatasetError } from '../../lib/datasets/index.ts';
import { ApiError } from '../errors.ts';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** Errors of `express.json()` and friends (http-errors) carry a `type`; no other text of theirs reaches the client. */
const BODY_ERRORS: Readonly<Record<string, { code: ErrorCode; detail: string }>> = {
  'entity.parse.failed': { code: 'REQUEST_INVALID', detail: 'The body is not valid JSON.' },
  'entity.too.large': { code: 'REQUEST_TOO_LARGE', detail: 'The body is larger than this route takes.' },
  'parameters.too.many': { code: 'REQUEST_TOO_LARGE', detail: 'The form has too many fields.' },
  'request.aborted': { code: 'REQUEST_INVALID', detail: 'The body ended before its announced length.' },
  'request.size.invalid': { code: 'REQUEST_INVALID', detail: 'The body does not have its announced length.' },
  'encoding.unsupported': { code: 'UNSUPPORTED_MEDIA_TYPE', detail: 'The content encoding is not supported.' },
  'charset.unsupported': { code: 'UNSUPPORTED_MEDIA_TYPE', detail: 'The charset is not supported.' },
};

interface Meaning {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Says what an error means to the client. An error that nobody threw on purpose becomes `INTERNAL` without its
 * message, because such a message can hold paths, queries or secrets.
 */
export function meaningOf(error: unknown): Meaning {
  if (error instanceof ApiError) {
    return {
      code: error.code,
      detail: error.message,
      errors: error.errors ?? fieldOf(error.field, error.message),
      headers: error.headers,
    };
  }
  if (isSaipError(error)) {
    const several = error instanceof DatasetError ? error.problems : undefined;
    return { code: error.code, detail: error.message, errors: several ?? fieldOf(error.field, error.message) };
  }
  const type = error instanceof Error && 'type' in error && typeof error.type === 'string' ? error.type : '';
  const body = BODY_ERRORS[type];
  if (body) {
    return type === 'entity.parse.failed' ? { ...body, errors: [{ field: 'body', message: body.detail }] } : body;
  }
  if (error instanceof URIError) {
    return { code: 'REQUEST_INVALID', detail: 'The path is not correctly percent-encoded.' };
  }
  return { code: 'INTERNAL', detail: 'The server failed to answer this request.' };
}

function fieldOf(field: string | undefined, message: string): FieldError[] | undefined {
  return field === undefined ? undefined : [{ field, message }];
}

/** Problem details (RFC 9457) for `meaning`; `type` is a path of the documentation that lists the codes. */
export function problemOf(meaning: Meaning, at: { instance: string; traceId: string }): Problem {
  const { status, hint } = ERRORS[meaning.code];
  return {
    type: `/docs/errors#${meaning.code.toLowerCase().replaceAll('_', '-')}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: meaning.detail,
    instance: at.instance,
    code: meaning.code,
    traceId: at.traceId,
    hint,
    ...(meaning.errors && meaning.errors.length > 0 ? { errors: [...meaning.errors] } : {}),
  };
}

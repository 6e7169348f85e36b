import type { z } from 'zod';
import type { FieldError } from '../../contracts/api.ts';
import { isSaipError, SaipError } from '../../contracts/errors.ts';
import { ApiError } from '../errors.ts';

export type RequestPart = 'path' | 'query' | 'header' | 'body';

/**
 * Parses one part of a request.
 * @throws {ApiError} `REQUEST_INVALID` with one entry in `errors` for each wrong field, such as `body.training.epochs`
 */
export function validate<S extends z.ZodType>(schema: S, value: unknown, part: RequestPart): z.infer<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap((issue) => fieldErrors(issue, [part]));
  const first = errors[0];
  throw new ApiError('REQUEST_INVALID', first ? `${first.field}: ${first.message}` : 'The request is invalid.', {
    errors,
  });
}

/** A union reports all its branches; the caller meant the one with the deepest, then with the fewest complaints. */
function fieldErrors(issue: z.core.$ZodIssue, prefix: readonly PropertyKey[]): FieldError[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ field: pathName([...path, key]), message: 'unknown field' }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const branches = issue.errors.map((branch) => branch.flatMap((inner) => fieldErrors(inner, path)));
    const [meant = []] = branches.sort((a, b) => depth(b) - depth(a) || a.length - b.length);
    if (depth(meant) > path.length) return meant;
    return [{ field: pathName(path), message: unionMessage(branches) }];
  }
  return [{ field: pathName(path), message: issue.message }];
}

function unionMessage(branches: readonly FieldError[][]): string {
  const messages = new Set(branches.flatMap((branch) => branch.map((error) => error.message)));
  return [...messages].join('; or ');
}

function depth(errors: readonly FieldError[]): number {
  return Math.max(0, ...errors.map((error) => error.field.split(/[.[]/).length));
}

function pathName(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (name, key) =>
      typeof key === 'number' ? `${name}[${String(key)}]` : name === '' ? String(key) : `${name}.${String(key)}`,
    '',
  );
}

/**
 * Runs `work`, whose errors name fields of its own input, and names them by where that input is in the request.
 * @throws what `work` throws, with `field` below `prefix`
 */
export function below<T>(prefix: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isSaipError(error) || error.field === undefined) throw error;
    throw new SaipError(error.code, error.message, { cause: error, field: `${prefix}.${error.field}` });
  }
}

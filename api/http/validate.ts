import type { z } from 'zod';
import type { FieldError } from '../../contracts/api.ts';
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

/** A union reports all its branches; the deepest complaint is the one about the branch that the caller meant. */
function fieldErrors(issue: z.core.$ZodIssue, prefix: readonly PropertyKey[]): FieldError[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ field: pathName([...path, key]), message: 'unknown field' }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const branches = issue.errors.map((branch) => branch.flatMap((inner) => fieldErrors(inner, path)));
    const deepest = branches.reduce((best, branch) => (depth(branch) > depth(best) ? branch : best));
    if (depth(deepest) > path.length) return deepest;
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

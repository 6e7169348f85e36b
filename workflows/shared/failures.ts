import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TemporalFailure } from '@temporalio/workflow';
import type { z } from 'zod';
import { failureOptions, SaipError } from '../../contracts/errors.ts';
import type { ErrorCode } from '../../contracts/errors.ts';
import { isUndecryptable } from '../../contracts/undecryptable.ts';

/** An error of the table as Temporal carries it: `type` is the code. */
export function failure(code: ErrorCode, message: string, field?: string): ApplicationFailure {
  const options = failureOptions(new SaipError(code, message, { field }));
  return ApplicationFailure.create({ ...options, details: [...options.details] });
}

/**
 * Ends a workflow as `rejected`: gates, a person or a time-out said no. It never leaves the workflow, and is no
 * TemporalFailure, so that it cannot be taken for a failure of the run.
 */
export class Rejection extends Error {
  override readonly name = 'Rejection';
  readonly reasons: readonly string[];

  constructor(reasons: readonly string[]) {
    super(reasons.join('; '));
    this.reasons = reasons;
  }
}

/** What is at the bottom of the wrappers that Temporal puts round a failed activity or child. */
export function rootCause(error: unknown): Error {
  if ((error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) && error.cause) {
    return rootCause(error.cause);
  }
  return error instanceof Error ? error : new Error(String(error));
}

/** Code (or failure type) and message in one line, for stages and reasons. */
export function describeFailure(error: unknown): string {
  const cause = rootCause(error);
  const type = cause instanceof ApplicationFailure ? cause.type : cause.name;
  return type ? `${type}: ${cause.message}` : cause.message;
}

/**
 * The failure a workflow or update ends with: the typed cause itself, so that callers see the code at once.
 * Anything that is not a Temporal failure is a defect of the workflow and passes unchanged: Temporal then retries the
 * workflow task until a corrected worker takes it, and the run is not lost.
 */
export function typedFailure(error: unknown): unknown {
  const cause = rootCause(error);
  return cause instanceof TemporalFailure ? cause : error;
}

/**
 * Parses what a starter or the sender of an update sent.
 * @throws ApplicationFailure `REQUEST_INVALID`, naming the first field at fault; `PAYLOAD_UNDECRYPTABLE`
 */
export function parseInput<T>(schema: z.ZodType<T>, value: unknown): T {
  if (isUndecryptable(value)) {
    throw failure('PAYLOAD_UNDECRYPTABLE', 'The message is not encrypted with a key of the platform.');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw failure('REQUEST_INVALID', issue?.message ?? 'The input is invalid.', issue?.path.join('.'));
}

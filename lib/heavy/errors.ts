import { ERRORS, SaipError } from '../../contracts/errors.ts';
import type { ErrorCode } from '../../contracts/errors.ts';

/** What the parent learns of a failure inside the child; crosses the process boundary by structured clone. */
export interface ChildFailure {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly field: string | undefined;
  readonly stack: string | undefined;
}

/**
 * A child ended without a result. `code` is the code the child itself threw with, or `CHILD_CRASHED`, `CHILD_SILENT`,
 * `DISK_FULL` or `DEVICE_OUT_OF_MEMORY` where only its exit tells.
 */
export class HeavyError extends SaipError {
  override readonly name = 'HeavyError';
}

/**
 * Messages of TensorFlow's ResourceExhausted status, of C++ and of V8 when an allocation is refused, and of oneDNN, which
 * says of a primitive that it got no memory for only that it could not be made or run.
 */
const OUT_OF_MEMORY = new RegExp(
  [
    ...['OOM when allocating', 'RESOURCE_EXHAUSTED', 'ResourceExhausted', 'CUDA_ERROR_OUT_OF_MEMORY'],
    ...['std::bad_alloc', 'Cannot allocate memory'],
    ...['Array buffer allocation failed', 'JavaScript heap out of memory', 'Fatal process out of memory'],
    'could not (create|execute) a (memory object|primitive)',
  ].join('|'),
  'i',
);

/** True where `text` (an error's message or a line on stderr) says that memory ran out. */
export function saysOutOfMemory(text: string): boolean {
  return OUT_OF_MEMORY.test(text);
}

/** Messages of the errors ENOSPC and EDQUOT, of Node and of the C library. */
const DISK_FULL = /\b(ENOSPC|EDQUOT)\b|no space left on device|disk quota exceeded/i;

/** True where `text` (an error's message or a line on stderr) says that a disk is full. */
export function saysDiskFull(text: string): boolean {
  return DISK_FULL.test(text);
}

/** What ran out, by the words of whoever noticed. */
export function exhaustionOf(text: string): 'DEVICE_OUT_OF_MEMORY' | 'DISK_FULL' | undefined {
  if (saysOutOfMemory(text)) return 'DEVICE_OUT_OF_MEMORY';
  return saysDiskFull(text) ? 'DISK_FULL' : undefined;
}

/** Describes an error thrown in the child; what ran out gets its code here, where the message is still whole. */
export function describeFailure(error: unknown): ChildFailure {
  if (!(error instanceof Error)) return { code: undefined, message: String(error), field: undefined, stack: undefined };
  const code =
    'code' in error && typeof error.code === 'string' && error.code in ERRORS ? (error.code as ErrorCode) : undefined;
  const field = 'field' in error && typeof error.field === 'string' ? error.field : undefined;
  return {
    code: code ?? exhaustionOf(error.message),
    message: error.message,
    field,
    stack: error.stack,
  };
}

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
 * A child ended without a result. `code` is the code the child itself threw with, or `CHILD_CRASHED`, `CHILD_SILENT`
 * or `DEVICE_OUT_OF_MEMORY` where only its exit tells.
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

/** Describes an error thrown in the child; memory exhaustion gets its code here, where the message is still whole. */
export function describeFailure(error: unknown): ChildFailure {
  if (!(error instanceof Error)) return { code: undefined, message: String(error), field: undefined, stack: undefined };
  const code =
    'code' in error && typeof error.code === 'string' && error.code in ERRORS ? (error.code as ErrorCode) : undefined;
  const field = 'field' in error && typeof error.field === 'string' ? error.field : undefined;
  return {
    code: code ?? (saysOutOfMemory(error.message) ? 'DEVICE_OUT_OF_MEMORY' : undefined),
    message: error.message,
    field,
    stack: error.stack,
  };
}

import { isSaipError } from '../contracts/errors.ts';
import { EXIT, exitCodeOfStatus } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

export interface CliErrorOptions {
  readonly exitCode?: ExitCode;
  /** What the user can do about it, in one sentence. */
  readonly hint?: string;
  /** Code of the problem details or of the platform's error table. */
  readonly code?: string;
  readonly traceId?: string;
  /** Several things that are wrong, a line each. */
  readonly details?: readonly string[];
  readonly cause?: unknown;
}

/** What a command reports to its user: one line, a hint and the exit code of the process. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;
  readonly code: string | undefined;
  readonly traceId: string | undefined;
  readonly details: readonly string[];

  constructor(message: string, options: CliErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? EXIT.failure;
    this.hint = options.hint;
    this.code = options.code;
    this.traceId = options.traceId;
    this.details = options.details ?? [];
  }
}

/** Wrong arguments (exit code 2). */
export function usageError(message: string, hint?: string): CliError {
  return new CliError(message, { exitCode: EXIT.usage, hint });
}

/** Turns whatever a command threw into what its user is told. */
export function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (isSaipError(error)) {
    return new CliError(error.message, {
      exitCode: exitCodeOfStatus(error.spec.status),
      hint: error.spec.hint,
      code: error.code,
      cause: error,
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new CliError(message, {
    hint: 'This is unexpected; run again with SAIP_DEBUG=1 for the stack trace.',
    cause: error,
  });
}

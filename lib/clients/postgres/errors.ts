import { SaipError } from '../../../contracts/errors.ts';

export type DatabaseErrorCode =
  | 'DATABASE_UNAVAILABLE'
  | 'DATABASE_CONFLICT'
  | 'DATABASE_REJECTED'
  | 'MODEL_UNKNOWN'
  | 'MODEL_UPLOAD_UNKNOWN'
  | 'MODEL_VERSION_UNKNOWN'
  | 'MODEL_VERSION_WITHDRAWN'
  | 'TRAINING_FENCED'
  | 'RELEASE_UNKNOWN'
  | 'DATASET_UPLOAD_UNKNOWN'
  | 'RELEASE_EXISTS';

/** PostgreSQL could not do what was asked, or what is stored does not allow it. */
export class DatabaseError extends SaipError<DatabaseErrorCode> {
  override readonly name = 'DatabaseError';
}

/**
 * SQLSTATE classes and codes (PostgreSQL manual, appendix A) that pass by themselves: connection lost, resources short,
 * server stopping or starting.
 */
const UNAVAILABLE = /^(?:08|53|57P0[1-5]|57014|25P0[34])/;
/** Serialisation failure, deadlock, lock not available, unique violation. */
const CONFLICT = /^(?:40001|40P01|55P03|23505)$/;
/** Failures below SQL: the driver's, or the system's. */
const NO_CONNECTION = /^(?:ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;
/** node-postgres gives these no code. */
const DRIVER_MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Client was closed|Query read timeout/i;

/** What `error` of the driver means; anything that is not the database's passes unchanged. */
export function databaseError(error: unknown): unknown {
  const { code, message } = describe(error);
  if (UNAVAILABLE.test(code) || NO_CONNECTION.test(code) || DRIVER_MESSAGES.test(message)) {
    return new DatabaseError('DATABASE_UNAVAILABLE', `PostgreSQL is not available (${code || message}).`, {
      cause: error,
    });
  }
  if (CONFLICT.test(code)) {
    return new DatabaseError('DATABASE_CONFLICT', `A concurrent change won (${code}).`, { cause: error });
  }
  if (/^[0-9A-Z]{5}$/.test(code)) {
    return new DatabaseError('DATABASE_REJECTED', `PostgreSQL refused: ${message} (${code}).`, { cause: error });
  }
  return error;
}

function describe(error: unknown): { readonly code: string; readonly message: string } {
  // A host with several addresses fails with one error for each of them.
  const first = property(property(error, 'errors'), '0') ?? error;
  return { code: text(property(first, 'code')), message: text(property(first, 'message')) };
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

import { BaoError } from './errors.ts';

/** What may be told of a failed request: no headers, no body, no token. */
export interface Failure {
  /** HTTP status; undefined when no answer came. */
  readonly status: number | undefined;
  readonly message: string;
  /** Sealed, starting, standby and overloaded servers answer 429 or 5xx; a stopped one does not answer at all. */
  readonly transient: boolean;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** Reduces an error of node-vault, or of axios inside it, to what may be logged. */
export function describeFailure(error: unknown): Failure {
  const response = field(error, 'response');
  const status = field(response, 'statusCode');
  if (typeof status === 'number') {
    const errors = field(field(response, 'body'), 'errors');
    const text = Array.isArray(errors) ? errors.filter((entry) => typeof entry === 'string').join('; ') : '';
    const message = `HTTP ${status}${text === '' ? '' : `: ${text.replace(/\s+/g, ' ').trim()}`}`;
    return { status, message, transient: status === 429 || status >= 500 };
  }
  const unanswered = field(error, 'isAxiosError') === true;
  const code = field(error, 'code');
  return {
    status: undefined,
    message: unanswered && typeof code === 'string' ? code : 'unexpected answer',
    transient: unanswered,
  };
}

/** The typed error for a failed request; `what` says in the infinitive what was asked for. */
export function toBaoError(what: string, error: unknown): BaoError {
  if (error instanceof BaoError) return error;
  const { status, message, transient } = describeFailure(error);
  if (transient) return new BaoError('SECRET_UNAVAILABLE', `Cannot ${what}: OpenBao is not available (${message}).`);
  if (status === 403) {
    return new BaoError('SECRET_FORBIDDEN', `Cannot ${what}: OpenBao forbids it to the login of this process.`);
  }
  return new BaoError('SECRET_REJECTED', `Cannot ${what}: OpenBao refused (${message}).`);
}

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

import { SaipError, type ErrorCode, type ErrorOptions } from '../contracts/errors.ts';
import type { FieldError } from '../contracts/api.ts';

/** Codes that the HTTP layer itself raises; what it calls in `lib/` brings its own. */
export type ApiErrorCode = Extract<
  ErrorCode,
  | 'REQUEST_INVALID'
  | 'REQUEST_TOO_LARGE'
  | 'REQUEST_HEADERS_TOO_LARGE'
  | 'REQUEST_TIMEOUT'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'CONFLICT'
  | 'IDEMPOTENCY_MISMATCH'
  | 'RATE_LIMITED'
  | 'QUOTA_EXCEEDED'
  | 'MISUSE_STOPPED'
  | 'MISUSE_FLAG_UNKNOWN'
  | 'MISUSE_FLAG_LIFTED'
  | 'LIMIT_UNKNOWN'
  | 'EXTRACTION_UNMEASURED'
  | 'EXTRACTION_NO_BUDGET'
  | 'INPUT_OUT_OF_RANGE'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'API_KEY_UNKNOWN'
  | 'API_KEY_ENDED'
  | 'APPROVAL_NOT_WAITING'
  | 'APPROVAL_SUBJECT_MISMATCH'
  | 'APPROVAL_SAME_PERSON'
  | 'PRESET_UNKNOWN'
  | 'DATASET_UNKNOWN'
  | 'MODEL_UNKNOWN'
  | 'MODEL_VERSION_UNKNOWN'
  | 'ALIAS_UNKNOWN'
  | 'MODEL_NOT_READY'
  | 'MODEL_LOAD_FAILED'
  | 'MODEL_UNLOADED'
  | 'SIGNATURE_MISSING'
  | 'SIGNATURE_INVALID'
  | 'TENSOR_INVALID'
  | 'UNSUPPORTED_DATATYPE'
  | 'WORKFLOW_UNKNOWN'
  | 'WORKFLOW_CLOSED'
  | 'SCORE_NOT_THERE'
  | 'ROLLOUT_IN_PROGRESS'
  | 'RELEASE_IN_PROGRESS'
  | 'SCHEDULE_UNKNOWN'
  | 'SCHEDULE_EXISTS'
  | 'AUDIT_UNAVAILABLE'
  | 'ARTIFACT_NOT_FOUND'
>;

export interface ApiErrorOptions extends ErrorOptions {
  /** Every field that is wrong, for the problem's `errors`. */
  readonly errors?: readonly FieldError[];
  /** Response headers that belong to the error, such as `Retry-After` or `Allow`. */
  readonly headers?: Readonly<Record<string, string>>;
}

export class ApiError extends SaipError<ApiErrorCode> {
  override readonly name = 'ApiError';
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ApiErrorCode, message: string, options: ApiErrorOptions = {}) {
    super(code, message, options);
    this.errors = options.errors;
    this.headers = options.headers ?? {};
  }
}

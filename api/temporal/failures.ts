import {
  ApplicationFailure,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  isGrpcServiceError,
} from '@temporalio/client';
import { ERRORS, SaipError, isSaipError, type ErrorCode } from '../../contracts/errors.ts';
import { ApiError } from '../errors.ts';

/** The gRPC status codes that mean something of their own here. */
const GRPC = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNAVAILABLE: 14,
} as const;

/** What the caller named, for messages. */
export interface Subject {
  readonly kind: 'workflow' | 'schedule';
  readonly id: string;
}

/** What an error of the Temporal client means to the API's callers; anything else is returned as it is. */
export function translate(error: unknown, subject: Subject | undefined): unknown {
  if (isSaipError(error)) return error;
  if (error instanceof WorkflowUpdateFailedError) return fromFailure(error.cause) ?? error;
  if (error instanceof ScheduleAlreadyRunning) {
    return new ApiError('SCHEDULE_EXISTS', `A schedule named ${error.scheduleId} exists.`, { cause: error });
  }
  if (error instanceof WorkflowNotFoundError || error instanceof ScheduleNotFoundError) return unknown(subject, error);
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return unavailable(error);
  const grpc = grpcError(error);
  switch (grpc?.code) {
    case GRPC.NOT_FOUND:
      return unknown(subject, error);
    case GRPC.INVALID_ARGUMENT:
      return new ApiError('REQUEST_INVALID', grpc.details, { cause: error });
    case GRPC.UNAVAILABLE:
    case GRPC.DEADLINE_EXCEEDED:
    case GRPC.CANCELLED:
    case GRPC.RESOURCE_EXHAUSTED:
    case GRPC.FAILED_PRECONDITION:
      return unavailable(error);
    default:
      return error;
  }
}

/** The error behind a failure that crossed Temporal, when the platform threw it: the failure's type is its code. */
export function fromFailure(failure: Error | undefined): SaipError | undefined {
  let deepest: SaipError | undefined;
  for (let at: unknown = failure; at instanceof Error; at = at.cause) {
    if (at instanceof ApplicationFailure && isErrorCode(at.type)) deepest = new SaipError(at.type, at.message);
  }
  return deepest;
}

export function isErrorCode(value: string | undefined | null): value is ErrorCode {
  return value != null && Object.hasOwn(ERRORS, value);
}

/** The gRPC error itself or the one inside the client's wrapper. */
export function grpcError(error: unknown): { code: number; details: string } | undefined {
  const candidate = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(candidate) ? { code: candidate.code, details: candidate.details } : undefined;
}

function unknown(subject: Subject | undefined, cause: unknown): ApiError {
  if (subject?.kind === 'schedule')
    return new ApiError('SCHEDULE_UNKNOWN', `There is no schedule ${subject.id}.`, { cause });
  return new ApiError(
    'WORKFLOW_UNKNOWN',
    `There is no open or kept workflow ${subject?.id ?? ''}.`.replace(' .', '.'),
    {
      cause,
    },
  );
}

function unavailable(cause: unknown): ApiError {
  return new ApiError('UNAVAILABLE', 'Temporal or the worker that should answer does not.', {
    cause,
    headers: { 'Retry-After': '2' },
  });
}

import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { failureOptions, isSaipError } from '../../contracts/errors.ts';

/** A typed error as Temporal carries it; anything else unchanged. */
export function toFailure(error: unknown): unknown {
  if (!isSaipError(error)) return error;
  const { details, ...options } = failureOptions(error);
  return ApplicationFailure.create({ ...options, details: [...details], cause: causeOf(error) });
}

function causeOf(error: Error): Error | undefined {
  return error.cause instanceof Error ? error.cause : undefined;
}

/** Gives each error of the platform its Temporal failure type and says whether a retry can help. */
export const failureInterceptor: ActivityInboundCallsInterceptor = {
  async execute(input, next) {
    try {
      return await next(input);
    } catch (error) {
      throw toFailure(error);
    }
  },
};

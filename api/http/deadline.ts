import type { Response } from 'express';
import { ApiError } from '../errors.ts';

/**
 * Runs `work` with a signal that aborts when the client goes away or after `milliseconds` (0: never). Work that does
 * not listen to the signal is left behind, so that the client gets its answer in time.
 * @throws {ApiError} `UNAVAILABLE` when time is up
 */
export async function deadline(
  milliseconds: number,
  response: Response,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const gone = (): void => {
    controller.abort(new ApiError('UNAVAILABLE', 'The client closed the connection.'));
  };
  response.once('close', gone);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    if (milliseconds === 0) return;
    timer = setTimeout(() => {
      const error = new ApiError('UNAVAILABLE', `No answer was ready within ${String(milliseconds / 1000)} s.`);
      controller.abort(error);
      reject(error);
    }, milliseconds);
  });
  try {
    await Promise.race([work(controller.signal), late]);
  } finally {
    clearTimeout(timer);
    response.off('close', gone);
  }
}

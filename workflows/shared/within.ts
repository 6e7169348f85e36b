import { CancellationScope, isCancellation } from '@temporalio/workflow';

/** Cancels `work` after `milliseconds`, and waits until that is done. A cancellation from outside stays one. */
export async function within<T>(milliseconds: number, work: () => Promise<T>): Promise<T | 'late'> {
  const outside = CancellationScope.current();
  try {
    return await CancellationScope.withTimeout(milliseconds, work);
  } catch (error) {
    if (isCancellation(error) && !outside.consideredCancelled) return 'late';
    throw error;
  }
}

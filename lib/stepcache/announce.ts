import type { StepStore, StepWorker } from '../clients/index.ts';

const REFRESH_MS = 15_000;

/**
 * Says what this worker computes with, and goes on saying so while the process lives.
 * @param onError hears of a refresh that failed; the next one makes up for it
 * @throws DatabaseError when the first word cannot be written
 */
export async function announceWorker(
  steps: Pick<StepStore, 'announce'>,
  worker: StepWorker,
  onError: (error: unknown) => void,
): Promise<void> {
  await steps.announce(worker);
  setInterval(() => void steps.announce(worker).catch(onError), REFRESH_MS).unref();
}

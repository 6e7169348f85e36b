import { setTimeout as delay } from 'node:timers/promises';

export interface RetentionOptions {
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
}

const HOUR_MS = 3_600_000;

/** Lets go every hour of what is too old, until `signal` aborts. What fails is done at the next hour. Never rejects. */
export async function keepRetention(
  letGo: () => Promise<unknown>,
  { signal, onError }: RetentionOptions,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await letGo();
    } catch (error) {
      onError(error);
    }
    await delay(HOUR_MS, undefined, { signal }).catch(() => undefined);
  }
}

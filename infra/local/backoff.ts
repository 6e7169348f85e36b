const FIRST_MS = 500;
const CAP_MS = 30_000;

/** Crashes in a row after which a service counts as degraded. It is still started again, at the longest interval. */
export const DEGRADED_AFTER = 6;

/** A process that stayed up this long has recovered: the next crash counts as the first. */
export const STABLE_AFTER_MS = 60_000;

/** @param crashes in a row, from 1 @returns milliseconds to wait before the next start, doubling up to 30 s */
export function backoffMs(crashes: number): number {
  return Math.min(CAP_MS, FIRST_MS * 2 ** (crashes - 1));
}

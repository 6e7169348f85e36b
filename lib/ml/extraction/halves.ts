import { RandomStream } from '../random.ts';

/** Indices into the test set. */
export interface Halves {
  /** What the thief has, in the order in which it asks. */
  readonly own: Uint32Array;
  /** What the copy is judged by. The thief never sees these. */
  readonly unseen: Uint32Array;
}

/**
 * Shares the test set out by seed: none of it was trained on, so that the thief has samples of the model's kind but none
 * of the model's own, and fidelity is measured where neither of the two was trained.
 */
export function halve(count: number, { seed, ownSamples }: { seed: number; ownSamples?: number | undefined }): Halves {
  const order = new RandomStream('extraction halves', seed).permutation(count);
  const middle = Math.floor(count / 2);
  return { own: order.subarray(0, Math.min(ownSamples ?? middle, middle)), unseen: order.subarray(middle) };
}

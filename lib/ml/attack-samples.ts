import type { Measurement } from '../../contracts/adversary.ts';
import { RandomStream } from './random.ts';

/** Which samples of the test set are attacked, and in which order: the same for every attack. */
export function chooseSamples({ seed, samples }: Pick<Measurement, 'seed' | 'samples'>, count: number): Uint32Array {
  return new RandomStream('attack samples', seed).permutation(count).subarray(0, samples);
}

import { createHash } from 'node:crypto';

/**
 * A stream of pseudo-random numbers: xoshiro128** 1.1 (Blackman and Vigna, https://prng.di.unimi.it), seeded with the
 * first 16 bytes of a SHA-256 over what the stream is for. Streams of different purposes are therefore independent, and
 * a stream needs no state of another one to be made again. Its numbers do not depend on TensorFlow or the machine.
 */
export class RandomStream {
  readonly #state: Uint32Array;

  /** @param purpose e.g. `permutation`; @param numbers integers such as seed, epoch, step. */
  constructor(purpose: string, ...numbers: readonly number[]) {
    this.#state = Uint32Array.from(seedWords(purpose, numbers));
  }

  /** An integer, uniform in [0, 2^32). */
  uint32(): number {
    const s = this.#state as unknown as [number, number, number, number];
    const result = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotateLeft(s[3], 11);
    return result;
  }

  /** A multiple of 2^-24, uniform in [0, 1): exact in float32. */
  uniform(): number {
    return (this.uint32() >>> 8) * 2 ** -24;
  }

  /** An integer, uniform in [0, bound): numbers of the incomplete last interval are drawn again. */
  below(bound: number): number {
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const value = this.uint32();
      if (value < limit) return value % bound;
    }
  }

  /** The numbers 0 … count - 1 in a random order (Fisher–Yates). */
  permutation(count: number): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, index) => index);
    for (let index = count - 1; index > 0; index -= 1) {
      const other = this.below(index + 1);
      const value = order[index] as number;
      order[index] = order[other] as number;
      order[other] = value;
    }
    return order;
  }
}

/** Two non-negative 31-bit integers for an operation that takes a seed of its own. */
export function operationSeed(purpose: string, ...numbers: readonly number[]): readonly [number, number] {
  const [first = 0, second = 0] = seedWords(purpose, numbers);
  return [first >>> 1, second >>> 1];
}

function seedWords(purpose: string, numbers: readonly number[]): number[] {
  const digest = createHash('sha256')
    .update(JSON.stringify([purpose, ...numbers]))
    .digest();
  return [0, 4, 8, 12].map((offset) => digest.readUInt32LE(offset));
}

function rotateLeft(value: number, bits: number): number {
  return ((value << bits) | (value >>> (32 - bits))) >>> 0;
}

import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { operationSeed, RandomStream } from '../../lib/ml/random.ts';

/** xoshiro128** as its authors wrote it in C, on 32-bit words of BigInt. */
function* reference(words: readonly bigint[]): Generator<number> {
  let [s0 = 0n, s1 = 0n, s2 = 0n, s3 = 0n] = words;
  const mask = 0xffff_ffffn;
  const rotl = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & mask;
  for (;;) {
    yield Number((rotl((s1 * 5n) & mask, 7n) * 9n) & mask);
    const t = (s1 << 9n) & mask;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= t;
    s3 = rotl(s3, 11n);
  }
}

describe('RandomStream', () => {
  it('is xoshiro128** seeded by SHA-256 of its purpose', () => {
    const digest = createHash('sha256').update('["permutation",42,3]').digest();
    const words = [0, 4, 8, 12].map((offset) => BigInt(digest.readUInt32LE(offset)));
    const stream = new RandomStream('permutation', 42, 3);
    const expected = reference(words);
    for (let index = 0; index < 1000; index += 1) expect(stream.uint32()).toBe(expected.next().value);
  });

  it('shuffles every number exactly once, and equally for equal seeds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500 }), fc.nat(), (count, seed) => {
        const order = new RandomStream('test', seed).permutation(count);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
        expect(new RandomStream('test', seed).permutation(count)).toEqual(order);
      }),
    );
  });

  it('draws bounded integers evenly', () => {
    const stream = new RandomStream('test', 7);
    const counts = new Array<number>(6).fill(0);
    for (let index = 0; index < 60_000; index += 1) {
      const value = stream.below(6);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    // Chi-squared with 5 degrees of freedom: 20.5 is passed by chance in one of a thousand seeds.
    const chiSquared = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    expect(chiSquared).toBeLessThan(20.5);
  });

  it('gives other numbers for another purpose or index', () => {
    const seeds = [operationSeed('dropout', 1, 0), operationSeed('dropout', 1, 1), operationSeed('other', 1, 0)];
    expect(new Set(seeds.map(String)).size).toBe(3);
    for (const value of seeds.flat()) expect(value).toBeLessThan(2 ** 31);
  });
});

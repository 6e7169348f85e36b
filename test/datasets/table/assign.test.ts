import { describe, expect, it } from '@jest/globals';
import { assignSplit, rowDigest } from '../../../lib/datasets/index.ts';

const shares = { validationShare: 0.1, testShare: 0.2 };
const digests = Array.from({ length: 20_000 }, (_, i) => rowDigest([String(i), 'x']));

describe('assignSplit', () => {
  it('keeps the shares in expectation', () => {
    const counts = { train: 0, validation: 0, test: 0 };
    for (const digest of digests) counts[assignSplit({ seed: 1, rowDigest: digest, ...shares })] += 1;
    // Five standard deviations of a binomial count.
    expect(Math.abs(counts.test - 4_000)).toBeLessThan(5 * Math.sqrt(20_000 * 0.2 * 0.8));
    expect(Math.abs(counts.validation - 2_000)).toBeLessThan(5 * Math.sqrt(20_000 * 0.1 * 0.9));
  });

  it('depends on the seed and on what the row says alone', () => {
    const split = (seed: number): string[] =>
      digests.slice(0, 200).map((rowDigest) => assignSplit({ seed, rowDigest, ...shares }));
    expect(split(1)).toEqual(split(1));
    expect(split(1)).not.toEqual(split(2));
    expect(rowDigest(['a', 'b'])).toEqual(rowDigest(['a', 'b']));
    expect(rowDigest(['a', 'b'])).not.toEqual(rowDigest(['a,b']));
  });

  it('gives everything to one side where the other has no share', () => {
    for (const digest of digests.slice(0, 50)) {
      expect(assignSplit({ seed: 1, rowDigest: digest, validationShare: 0, testShare: 0 })).toBe('train');
      expect(assignSplit({ seed: 1, rowDigest: digest, validationShare: 0, testShare: 1 })).toBe('test');
    }
  });
});

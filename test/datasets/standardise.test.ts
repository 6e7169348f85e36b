import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fitStandardisation } from '../../lib/datasets/standardise.ts';

describe('fitStandardisation', () => {
  it('fits one pair for each entry of the last axis, and leaves a constant entry its scale', () => {
    const { scale, offset } = fitStandardisation(Float32Array.of(1, 7, 3, 7), 2);
    expect(scale).toEqual([1, 1]);
    expect(offset).toEqual([-2, -7]);
  });

  it('gives mean 0 and variance 1 in float32', () => {
    const values = fc.uint8Array({ minLength: 2, maxLength: 400 }).filter((x) => new Set(x).size > 1);
    fc.assert(
      fc.property(values, (x) => {
        const { scale, offset } = fitStandardisation(x, 1);
        const [a, b] = [scale[0] ?? NaN, offset[0] ?? NaN];
        expect([Math.fround(a), Math.fround(b)]).toEqual([a, b]);
        const fitted = Array.from(x, (value) => value * a + b);
        const mean = fitted.reduce((sum, value) => sum + value, 0) / x.length;
        const variance = fitted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
        expect(mean).toBeCloseTo(0, 3);
        expect(variance).toBeCloseTo(1, 3);
      }),
    );
  });
});

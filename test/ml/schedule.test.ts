import { describe, expect, it } from '@jest/globals';
import { learningRateAt } from '../../lib/ml/training/schedule.ts';

const rate = (schedule: 'constant' | 'cosine' | 'linear', step: number, warmupSteps = 0): number =>
  learningRateAt({ initial: 0.1, schedule, warmupSteps }, step, 10);

describe('learningRateAt', () => {
  it('rises over the warm-up to the initial rate', () => {
    expect([1, 2, 3, 4].map((step) => rate('constant', step, 4))).toEqual([0.025, 0.05, 0.1 * 0.75, 0.1]);
    expect(rate('cosine', 5, 4)).toBe(0.1);
  });

  it('keeps, or falls towards 0 by the end', () => {
    expect(rate('constant', 10)).toBe(0.1);
    expect(rate('linear', 1)).toBe(0.1);
    expect(rate('linear', 6)).toBeCloseTo(0.05, 12);
    expect(rate('linear', 10)).toBeCloseTo(0.01, 12);
    expect(rate('cosine', 6)).toBeCloseTo(0.05, 12);
    expect(rate('cosine', 10)).toBeLessThan(0.003);
  });

  it('is defined where the warm-up takes every step', () => {
    expect(rate('cosine', 10, 10)).toBe(0.1);
    expect(rate('linear', 10, 100)).toBeCloseTo(0.01, 12);
  });
});

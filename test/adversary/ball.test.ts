import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ballAround, rangeOf } from '../../lib/adversary/index.ts';

describe('the ball around a sample', () => {
  it('holds no float32 beyond ε or outside the range', () => {
    fc.assert(
      fc.property(
        fc.float({ min: 0, max: 255, noNaN: true }),
        fc.double({ min: 1e-6, max: 1, noNaN: true }),
        (value, epsilon) => {
          const { lower, upper } = ballAround(Float32Array.of(value), epsilon, { low: 0, high: 255 });
          const [low, high] = [lower[0] as number, upper[0] as number];
          expect(low).toBeGreaterThanOrEqual(Math.max(0, value - epsilon * 255));
          expect(high).toBeLessThanOrEqual(Math.min(255, value + epsilon * 255));
          expect(low).toBeLessThanOrEqual(value);
          expect(high).toBeGreaterThanOrEqual(value);
        },
      ),
    );
  });

  it('is as large as ε allows', () => {
    const { lower, upper } = ballAround(Float32Array.of(100), 0.2, { low: 0, high: 255 });
    expect([lower[0], upper[0]]).toEqual([49, 151]);
  });

  it('is known for bytes alone', () => {
    expect(rangeOf('uint8')).toEqual({ low: 0, high: 255 });
    expect(() => rangeOf('float32')).toThrow(expect.objectContaining({ code: 'ATTACK_UNSUPPORTED' }));
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backoffMs } from '../../infra/local/backoff.ts';

describe('backoffMs', () => {
  it('doubles from half a second', () => {
    expect([1, 2, 3, 4].map(backoffMs)).toEqual([500, 1000, 2000, 4000]);
  });

  it('never waits longer than 30 s, nor shorter after more crashes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), (crashes) => {
        expect(backoffMs(crashes)).toBeLessThanOrEqual(30_000);
        expect(backoffMs(crashes + 1)).toBeGreaterThanOrEqual(backoffMs(crashes));
      }),
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Bucket } from '../../lib/limits/index.ts';

describe('a bucket', () => {
  it('gives its burst at once, then one token each interval', () => {
    const bucket = new Bucket();
    const size = { rate: 10, burst: 3 };
    const taken = [0, 0, 0, 0].map((now) => bucket.take(size, 1_000 + now));
    expect(taken.map(({ allowed }) => allowed)).toEqual([true, true, true, false]);
    expect(taken.map(({ remaining }) => remaining)).toEqual([2, 1, 0, 0]);
    expect(taken[3]?.retryAfter).toBeCloseTo(0.1);
    expect(bucket.take(size, 1_100).allowed).toBe(true);
    expect(bucket.take(size, 1_150).allowed).toBe(false);
    expect(bucket.take(size, 1_200)).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('is full again after a while, and not more than full', () => {
    const bucket = new Bucket();
    const size = { rate: 100, burst: 2 };
    bucket.take(size, 0);
    expect([0, 1, 2].map(() => bucket.take(size, 1e6).allowed)).toEqual([true, true, false]);
  });

  it('follows a size that changes', () => {
    const bucket = new Bucket();
    for (let call = 0; call < 10; call += 1) bucket.take({ rate: 1, burst: 10 }, 0);
    expect(bucket.take({ rate: 1, burst: 1 }, 5_000)).toMatchObject({ allowed: false });
    expect(bucket.take({ rate: 1, burst: 20 }, 5_000)).toMatchObject({ allowed: true });
  });

  it('does not hold what was taken under a narrow limit against a caller whose limit is wide again', () => {
    const bucket = new Bucket();
    for (let call = 0; call < 3; call += 1) bucket.take({ rate: 0.01, burst: 2 }, 0);
    expect(bucket.take({ rate: 5_000, burst: 10_000 }, 1)).toMatchObject({ allowed: true });
  });

  it('never lets more through than burst and rate allow, nor a waiting caller less than one', () => {
    const calls = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 20 }), calls, (rate, burst, gaps) => {
        const bucket = new Bucket();
        let now = 0;
        let passed = 0;
        for (const gap of gaps) {
          now += gap;
          const { allowed, retryAfter } = bucket.take({ rate, burst }, now);
          if (allowed) passed += 1;
          else expect(bucket.take({ rate, burst }, now + retryAfter * 1000 + 1e-3).allowed).toBe(true);
          if (!allowed) break;
        }
        expect(passed).toBeLessThanOrEqual(burst + (now / 1000) * rate + 1e-6);
      }),
    );
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mcnemar } from '../../lib/evaluation/index.ts';
import type { Reference } from './reference.ts';

const { mcnemar: cases } = JSON.parse(
  readFileSync(new URL('./fixtures/reference.json', import.meta.url), 'utf8'),
) as Reference;

/** Predictions of two classifiers that disagree in right and wrong as often as told, and agree on three samples. */
function pair(onlyFirst: number, onlySecond: number): { labels: Int32Array; first: Int32Array; second: Int32Array } {
  const first = [...Array<number>(onlyFirst).fill(1), ...Array<number>(onlySecond).fill(0), 1, 1, 0];
  const second = [...Array<number>(onlyFirst).fill(0), ...Array<number>(onlySecond).fill(1), 1, 1, 2];
  return {
    labels: Int32Array.from(first, () => 1),
    first: Int32Array.from(first),
    second: Int32Array.from(second),
  };
}

describe('mcnemar', () => {
  it.each(cases)('gives the binomial tail of SciPy for $onlyFirst against $onlySecond', (expected) => {
    const result = mcnemar(pair(expected.onlyFirst, expected.onlySecond));
    expect(result).toMatchObject({ onlyFirst: expected.onlyFirst, onlySecond: expected.onlySecond });
    expect(result.pValue / expected.pValue).toBeCloseTo(1, 9);
  });

  it('has tails that overlap in the observed count alone', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(60), (a, b) => {
        const overlap = mcnemar(pair(a, b)).pValue + mcnemar(pair(b, a)).pValue - 1;
        expect(overlap).toBeGreaterThan(-1e-12);
        expect(mcnemar(pair(a + 1, b)).pValue).toBeLessThanOrEqual(mcnemar(pair(a, b)).pValue + 1e-12);
      }),
    );
  });
});

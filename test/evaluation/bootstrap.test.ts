import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { estimate, quantile } from '../../lib/evaluation/bootstrap.ts';
import { predict } from '../../lib/evaluation/predictions.ts';
import type { Reference } from './reference.ts';

const reference = JSON.parse(readFileSync(new URL('./fixtures/reference.json', import.meta.url), 'utf8')) as Reference;
const predictions = predict(
  Float32Array.from(reference.logits.flat()),
  Int32Array.from(reference.labels),
  reference.classes,
);

describe('bootstrap intervals', () => {
  it('are the same for the same seed, others for another', () => {
    const options = { seed: 5, resamples: 200 };
    const first = estimate(predictions, options);
    expect(estimate(predictions, options)).toEqual(first);
    const other = estimate(predictions, { ...options, seed: 6 });
    expect(other.metrics.logLoss.value).toBe(first.metrics.logLoss.value);
    expect(other.metrics.logLoss.low).not.toBe(first.metrics.logLoss.low);
  });

  it('agree with SciPy within the error of resampling', () => {
    const { accuracy } = estimate(predictions, { seed: 1, resamples: 4000 }).metrics;
    expect(accuracy.value).toBeCloseTo(reference.accuracy, 12);
    // The standard error of these quantiles is about 0.001; counts move in steps of 1/240.
    expect(Math.abs(accuracy.low - reference.accuracyInterval[0])).toBeLessThan(0.009);
    expect(Math.abs(accuracy.high - reference.accuracyInterval[1])).toBeLessThan(0.009);
  });

  it('are one point where every sample is alike', () => {
    const same = predict(Float32Array.of(2, 0, 2, 0, 2, 0), Int32Array.of(0, 0, 0), 2);
    const { accuracy, logLoss, confusion } = estimate(same, { seed: 1, resamples: 50 }).metrics;
    expect(accuracy).toEqual({ value: 1, low: 1, high: 1 });
    expect(logLoss.high - logLoss.low).toBeCloseTo(0, 12);
    expect(confusion.map(({ low, high }) => [low, high])).toEqual([
      [3, 3],
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  it('tell their progress', () => {
    const done: number[] = [];
    estimate(predictions, { seed: 1, resamples: 120, onProgress: (count) => done.push(count) });
    expect(done).toEqual([50, 100]);
  });

  // numpy.quantile([1, 2, 4, 8], q)
  it.each([
    [0, 1],
    [0.025, 1.075],
    [0.5, 3],
    [0.9, 6.8],
    [1, 8],
  ])('interpolate quantile %d as NumPy', (q, expected) => {
    expect(quantile(Float64Array.of(1, 2, 4, 8), q)).toBeCloseTo(expected, 12);
  });
});

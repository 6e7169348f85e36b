import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { quantityGate, thresholdGates } from '../../lib/evaluation/index.ts';
import { pairedPermutation } from '../../lib/evaluation/paired-permutation.ts';
import { regressionPlots, render } from '../../lib/evaluation/plots/index.ts';
import { createRegressionReport } from '../../lib/evaluation/regression.ts';

interface Reference {
  readonly name: string;
  readonly truths: number[];
  readonly predicted: number[];
  readonly rmse: number;
  readonly mae: number;
  readonly r2: number;
}

/** Written by `fixtures/generate_regression.py`. */
const reference = JSON.parse(
  readFileSync(new URL('./fixtures/regression.json', import.meta.url), 'utf8'),
) as Reference[];

const truths = Float32Array.from({ length: 80 }, (_, i) => i);
const predicted = truths.map((value, i) => value + (i % 2 === 0 ? 3 : -1));
const subject = {
  model: 'line',
  dataset: 'made',
  testSet: { x: 'a'.repeat(64), y: 'b'.repeat(64) },
  target: { name: 'days', unit: 'd' },
  seed: 4,
};

describe('createRegressionReport', () => {
  const report = createRegressionReport({ ...subject, truths, predicted });

  it('computes the errors as scikit-learn defines them, inside of their intervals', () => {
    const { rmse, mae, r2, samples } = report.summary;
    expect(samples).toBe(80);
    expect(rmse.value).toBeCloseTo(Math.sqrt(5), 9);
    expect(mae.value).toBeCloseTo(2, 9);
    // 1 - SSE / SST, with SST = n (n² - 1) / 12 of the numbers 0 to n - 1.
    expect(r2.value).toBeCloseTo(1 - 400 / ((80 * (80 ** 2 - 1)) / 12), 9);
    for (const { value, low, high } of [rmse, mae, r2]) {
      expect(low).toBeLessThan(value);
      expect(high).toBeGreaterThan(value);
    }
    expect(report.residuals.mean).toBeCloseTo(1, 9);
    expect(report.largestErrors[0]).toEqual({ sample: 0, truth: 0, predicted: 3 });
  });

  it.each(reference)('says of $name what scikit-learn says', ({ truths: known, predicted: said, ...expected }) => {
    const numbers = { truths: Float32Array.from(known), predicted: Float32Array.from(said) };
    const { rmse, mae, r2 } = createRegressionReport({ ...subject, ...numbers }).summary;
    for (const [value, wanted] of [
      [rmse.value, expected.rmse],
      [mae.value, expected.mae],
      [r2.value, expected.r2],
    ] as const) {
      expect(Math.abs(value / wanted - 1)).toBeLessThan(1e-10);
    }
  });

  it('gives the same report twice, and refuses what does not belong together', () => {
    expect(createRegressionReport({ ...subject, truths, predicted })).toEqual(report);
    for (const wrong of [predicted.slice(1), predicted.map(() => Number.NaN)]) {
      expect(() => createRegressionReport({ ...subject, truths, predicted: wrong })).toThrow(
        expect.objectContaining({ code: 'EVALUATION_INPUT_INVALID' }),
      );
    }
  });

  it('is drawn', async () => {
    const plots = regressionPlots({ report, history: [{ step: 1, epoch: 1, loss: 0.5 }], truths, predicted });
    expect(Object.keys(plots)).toEqual(['training-curves', 'predicted-against-true', 'residuals']);
    for (const plot of Object.values(plots)) expect((await render(plot)).svg).toContain('line');
  });

  it('passes the gates of its task only', () => {
    const gates = thresholdGates(report.summary, { champion: 'off', maxRmse: 2.3, minR2: 0.9999, minAccuracy: 0.1 });
    expect(gates.map(({ name, passed }) => [name, passed])).toEqual([
      ['minAccuracy', false],
      ['maxRmse', true],
      ['minR2', false],
    ]);
  });
});

describe('pairedPermutation', () => {
  it('finds larger errors, and does not find equal or smaller ones', () => {
    const worse = predicted.map((value, i) => value + (i % 3) * 2);
    expect(pairedPermutation({ truths, first: predicted, second: worse, seed: 1 }).pValue).toBeLessThan(0.01);
    expect(pairedPermutation({ truths, first: worse, second: predicted, seed: 1 }).pValue).toBeGreaterThan(0.95);
    expect(pairedPermutation({ truths, first: predicted, second: predicted, seed: 1 }).pValue).toBe(1);
  });

  it('agrees with the exact distribution of few samples', () => {
    const few = Float32Array.of(0, 0, 0, 0);
    const second = Float32Array.of(1, 2, 3, 4);
    // One of the sixteen sign patterns is as large as the seen one.
    expect(pairedPermutation({ truths: few, first: few, second, seed: 2 }).pValue).toBeCloseTo(1 / 16, 2);
  });

  it('decides the champion gate', () => {
    const gate = quantityGate({ version: '3', truths, champion: truths, candidate: predicted });
    expect(gate).toMatchObject({ name: 'champion', passed: false, reason: expect.stringContaining('version 3') });
    expect(quantityGate({ version: '3', truths, champion: predicted, candidate: truths }).passed).toBe(true);
  });
});

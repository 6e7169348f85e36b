import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { calibrationBin, emptyTally, metricsOf, tallier } from '../../lib/evaluation/metrics.ts';
import type { Metrics } from '../../lib/evaluation/metrics.ts';
import { argmax, predict, softmax } from '../../lib/evaluation/predictions.ts';
import type { Predictions } from '../../lib/evaluation/predictions.ts';
import type { Reference } from './reference.ts';

const reference = JSON.parse(readFileSync(new URL('./fixtures/reference.json', import.meta.url), 'utf8')) as Reference;

function evaluate(predictions: Predictions): Metrics {
  const tally = emptyTally(predictions.classes);
  const add = tallier(predictions);
  for (const i of predictions.labels.keys()) add(tally, i);
  return metricsOf(tally);
}

/** Logits whose softmax is the given rows of probabilities. */
function logitsOf(rows: readonly (readonly number[])[]): Float32Array {
  return Float32Array.from(rows.flat(), Math.log);
}

describe('metrics', () => {
  const predictions = predict(
    Float32Array.from(reference.logits.flat()),
    Int32Array.from(reference.labels),
    reference.classes,
  );
  const metrics = evaluate(predictions);

  it.each(['accuracy', 'macroF1', 'logLoss', 'ece'] as const)('%s is that of the reference libraries', (name) => {
    expect(metrics[name]).toBeCloseTo(reference[name], 10);
  });

  it.each(['precision', 'recall', 'f1'] as const)('%s by class is that of scikit-learn', (name) => {
    for (const [c, value] of reference[name].entries()) expect(metrics[name][c]).toBeCloseTo(value, 12);
  });

  it('counts the confusion matrix as scikit-learn', () => {
    expect(metrics.confusion).toEqual(reference.confusion.flat());
  });

  it('are those computed by hand on four samples', () => {
    const logits = logitsOf([
      [0.9, 0.1],
      [0.6, 0.4],
      [0.3, 0.7],
      [0.8, 0.2],
    ]);
    const byHand = evaluate(predict(logits, Int32Array.of(0, 1, 1, 0), 2));
    expect(byHand.accuracy).toBe(0.75);
    expect(byHand.precision).toEqual([2 / 3, 1]);
    expect(byHand.recall).toEqual([1, 0.5]);
    expect(byHand.macroF1).toBeCloseTo((0.8 + 2 / 3) / 2, 12);
    expect(byHand.logLoss).toBeCloseTo(-(Math.log(0.9) + Math.log(0.4) + Math.log(0.7) + Math.log(0.8)) / 4, 6);
    // Each sample has a bin of its own: |1-0.9|, |0-0.6|, |1-0.7|, |1-0.8|.
    expect(byHand.ece).toBeCloseTo((0.1 + 0.6 + 0.3 + 0.2) / 4, 6);
  });

  it('leave classes that occur nowhere out of macro F1', () => {
    const logits = logitsOf([
      [0.8, 0.1, 0.1],
      [0.1, 0.8, 0.1],
    ]);
    expect(evaluate(predict(logits, Int32Array.of(0, 1), 3))).toMatchObject({ macroF1: 1, f1: [1, 1, 0] });
  });

  it.each([
    [0, 0],
    [1 / 15, 0],
    [1 / 15 + 1e-9, 1],
    [0.5, 7],
    [14 / 15 + 1e-9, 14],
    [1, 14],
  ])('put the confidence %d into bin %d', (confidence, bin) => {
    expect(calibrationBin(confidence)).toBe(bin);
  });
});

const anyLogits = fc.integer({ min: 2, max: 6 }).chain((classes) =>
  fc.record({
    classes: fc.constant(classes),
    rows: fc.array(fc.array(fc.float({ min: -80, max: 80, noNaN: true }), { minLength: classes, maxLength: classes }), {
      minLength: 1,
      maxLength: 20,
    }),
  }),
);

describe('predictions', () => {
  it('have probabilities that sum to one, and the confidence of the predicted class', () => {
    fc.assert(
      fc.property(anyLogits, ({ classes, rows }) => {
        const logits = Float32Array.from(rows.flat());
        const probabilities = softmax(logits, classes);
        const { predicted, confidence, loss } = predict(logits, new Int32Array(rows.length), classes);
        for (const row of rows.keys()) {
          const own = probabilities.subarray(row * classes, (row + 1) * classes);
          expect(own.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
          expect(confidence[row]).toBeCloseTo(Math.max(...own), 12);
          expect(own[predicted[row] ?? -1]).toBe(Math.max(...own));
          expect(loss[row]).toBeGreaterThanOrEqual(-1e-9);
        }
      }),
    );
  });

  it('keep a finite loss where a probability is too small for a double', () => {
    const { loss } = predict(Float32Array.of(2000, 0), Int32Array.of(1), 2);
    expect(loss[0]).toBe(2000);
  });

  it('choose the lowest of equal classes', () => {
    expect(argmax(Float32Array.of(1, 3, 3, 0, 0, 0), 3)).toEqual(Int32Array.of(1, 0));
  });

  it.each([
    ['another number of logits', Float32Array.of(1, 2, 3), [0], 'logits'],
    ['no samples', new Float32Array(0), [], 'logits'],
    ['a label that is no class', Float32Array.of(1, 2), [2], 'labels'],
    ['a negative label', Float32Array.of(1, 2), [-1], 'labels'],
    ['a logit that is not a number', Float32Array.of(1, Number.NaN), [0], 'logits'],
    ['an infinite logit', Float32Array.of(Infinity, 1), [0], 'logits'],
  ])('refuse %s', (_, logits, labels, field) => {
    expect(() => predict(logits, Int32Array.from(labels), 2)).toThrow(
      expect.objectContaining({ code: 'EVALUATION_INPUT_INVALID', field }),
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import type { AnswerKind, ExtractionCurve } from '../../contracts/extraction.ts';
import { chooseBudget, extractionBudget, extractionBudgets, renderExtraction } from '../../lib/adversary/index.ts';

type Point = ExtractionCurve['points'][number];

const point = (answers: AnswerKind, queries: number, high: number): Point => {
  const fidelity = { value: high - 0.01, low: high - 0.02, high };
  return { answers, queries, made: 0, fidelity, accuracy: fidelity, seconds: 1 };
};

const curve = {
  points: [
    point('probabilities', 100, 0.7),
    point('probabilities', 300, 0.85),
    point('probabilities', 1000, 0.93),
    point('labels', 1000, 0.88),
    point('labels', 100, 0.6),
    point('labels', 300, 0.8),
  ],
};

describe('a budget', () => {
  it('is the largest measured number below which no interval reaches the threshold', () => {
    expect(extractionBudgets(curve, 0.9)).toEqual([
      { answers: 'probabilities', threshold: 0.9, budgetRows: 300, reached: true },
      { answers: 'labels', threshold: 0.9, budgetRows: 1000, reached: false },
    ]);
  });

  it('is none where the first number already gives a copy', () => {
    expect(extractionBudget(curve, { answers: 'labels', threshold: 0.6 })).toEqual({
      answers: 'labels',
      threshold: 0.6,
      reached: true,
    });
  });

  it('ends before the first copy, though a larger number gave none by chance', () => {
    const points = [point('labels', 10, 0.5), point('labels', 20, 0.95), point('labels', 30, 0.8)];
    expect(extractionBudget({ points }, { answers: 'labels', threshold: 0.9 })).toMatchObject({ budgetRows: 10 });
  });

  it('is that of the kind of answers that allows less, unless one is named', () => {
    expect(chooseBudget(curve, { threshold: 0.9 })).toMatchObject({ answers: 'probabilities', budgetRows: 300 });
    expect(chooseBudget(curve, { threshold: 0.9, answers: 'labels' })).toMatchObject({ budgetRows: 1000 });
    expect(chooseBudget(curve, { threshold: 0.65 })).toEqual({
      answers: 'probabilities',
      threshold: 0.65,
      reached: true,
    });
    const labels = { points: curve.points.filter(({ answers }) => answers === 'labels') };
    expect(chooseBudget(labels, { threshold: 0.9, answers: 'probabilities' })).toBeUndefined();
  });
});

it('is told to people with what it was measured on', () => {
  const text = renderExtraction({
    version: 1,
    model: 'm',
    modelVersion: '3',
    digest: 'd'.repeat(64),
    dataset: 'mnist',
    workflowId: 'extraction-1',
    requestedBy: 'ann',
    configSha256: 'c'.repeat(64),
    extraction: {
      queries: [100, 300, 1000],
      answers: ['probabilities', 'labels'],
      step: 0.1,
      seed: 7,
      training: { epochs: 10, minSteps: 800, batchSize: 64, learningRate: 0.002 },
    },
    curve: {
      ...curve,
      evaluated: 5000,
      ownSamples: 5000,
      substitute: 'tiny',
      modelAccuracy: { value: 0.98, low: 0.97, high: 0.99 },
      deviceClass: 'cpu',
    },
    budgets: [...extractionBudgets(curve, 0.9), { answers: 'labels', threshold: 0.6, reached: true }],
  });
  expect(text).toContain('# What a copy of m version 3 costs');
  expect(text).toContain('Of **probabilities** up to **300 queries** do not give a copy');
  expect(text).toContain(
    'Of **labels** no measured number gives a copy (fidelity of 90.0 % or more); the largest is 1000.',
  );
  expect(text).toContain('Of **labels** the smallest measured number of queries already gives a copy');
  expect(text).toContain('| probabilities | 300 | 0 | 84.0 % [83.0, 85.0] |');
});

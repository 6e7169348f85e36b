import { describe, expect, it } from '@jest/globals';
import { buildExtractionRequest } from '../../cli/actions/extractions.ts';
import { renderExtractionResult } from '../../cli/follow/extraction-summary.ts';
import { recordedIo } from './support/terminal.ts';

describe('buildExtractionRequest', () => {
  it('names the model and leaves every default to the server', () => {
    expect(buildExtractionRequest('mnist-mlp', {})).toEqual({ model: 'mnist-mlp' });
  });

  it('puts options on top and --set last', () => {
    const options = {
      modelVersion: '2',
      queries: [1000, 100, 1000],
      answers: 'labels',
      ownSamples: 50,
      substitute: 'mnist-softmax',
      threshold: 0.8,
      seed: 3,
      set: ['training.epochs=4', 'threshold=0.7'],
    };
    expect(buildExtractionRequest('mnist-mlp', options)).toEqual({
      ...{ model: 'mnist-mlp', version: '2', queries: [100, 1000], answers: ['labels'], ownSamples: 50 },
      ...{ substitute: 'mnist-softmax', threshold: 0.7, seed: 3, training: { epochs: 4 } },
    });
  });

  it('says what is wrong before anything is sent', () => {
    expect(() => buildExtractionRequest('mnist-mlp', { answers: 'logits' })).toThrow('answers.0');
    expect(() => buildExtractionRequest('mnist-mlp', { set: ['training.epochs=0'] })).toThrow('training.epochs');
  });
});

it('shows the curve and the budgets', () => {
  const interval = { value: 0.854, low: 0.844, high: 0.863 };
  const text = renderExtractionResult(
    {
      ...{ outcome: 'completed', reasons: [], model: 'mnist-mlp', version: '1', threshold: 0.9 },
      curve: {
        points: [{ answers: 'labels', queries: 300, made: 20, fidelity: interval, accuracy: interval, seconds: 1 }],
        ...{ evaluated: 5000, ownSamples: 280, substitute: 'mnist-mlp', modelAccuracy: interval, deviceClass: 'cpu' },
      },
      budgets: [
        { answers: 'labels', threshold: 0.9, budgetRows: 300, reached: false },
        { answers: 'probabilities', threshold: 0.9, reached: true },
      ],
    },
    recordedIo({ columns: 120 }),
  );
  expect(text).toContain('85.4 % [84.4, 86.3]');
  expect(text).toContain('300 queries, the most that were measured');
  expect(text).toMatch(/budget, probabilities\s+none/);
});

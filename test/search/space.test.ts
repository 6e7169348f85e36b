import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SearchRequest } from '../../contracts/search.ts';
import { SearchSpace, withValues } from '../../contracts/search-space.ts';
import type { SearchValues } from '../../contracts/search-space.ts';
import { TrainRequest } from '../../contracts/train-register-deploy.ts';
import { listPresets, resolveTrainInput } from '../../lib/ml/index.ts';
import { defaultSpace, planTrials, resolveSearchInput } from '../../lib/search/index.ts';
import { drawFrom, isWithin } from '../../lib/search/draw.ts';
import { pointOf } from '../../lib/search/sequence.ts';

const train = (model = 'mnist-mlp', changes: object = {}) =>
  resolveTrainInput(TrainRequest.parse({ model, ...changes }), 'trainer-1');
const resolve = (request: object, model = 'mnist-mlp', changes: object = {}) =>
  resolveSearchInput(SearchRequest.parse({ train: { model }, ...request }), train(model, changes));
const LR = 'training.optimizer.learningRate.initial';

describe('a search space', () => {
  it.each([
    'training.epochs',
    'training.validationShare',
    'seed',
    'model.name',
    'model.layers.64.units',
    'model.layers.1.__proto__',
  ])('does not vary %s', (path) => {
    expect(SearchSpace.safeParse({ [path]: { kind: 'uniform', low: 0, high: 1 } }).success).toBe(false);
  });

  it('is not empty, and not of more than 16 fields', () => {
    expect(SearchSpace.safeParse({}).success).toBe(false);
    const many = Array.from({ length: 17 }, (_, i) => [`model.layers.${i}.rate`, { kind: 'choice', values: [0.5] }]);
    expect(SearchSpace.safeParse(Object.fromEntries(many)).success).toBe(false);
  });

  it('names the range that leads out of what a field may be', () => {
    const range = (path: string, value: object) => () => resolve({ space: { [path]: value } });
    const field = (path: string) => expect.objectContaining({ code: 'SEARCH_SPACE_INVALID', field: `space.${path}` });
    const cases: [string, object][] = [
      [LR, { kind: 'logUniform', low: 0.1, high: 100 }],
      ['training.batchSize', { kind: 'uniform', low: 32, high: 64 }],
      ['training.weightDecay', { kind: 'choice', values: [0, 2] }],
      ['training.optimizer.type', { kind: 'choice', values: ['adam', 'newton'] }],
      ['training.optimizer.momentum', { kind: 'uniform', low: 0, high: 0.9 }],
      ['model.layers.2.units', { kind: 'int', low: 8, high: 16 }],
      ['model.layers.0.units', { kind: 'int', low: 8, high: 16 }],
      ['model.layers.9.units', { kind: 'int', low: 8, high: 16 }],
    ];
    for (const [path, value] of cases) expect(range(path, value)).toThrow(field(path));
  });

  it('takes the fields of each optimiser where both are searched', () => {
    const space = {
      'training.optimizer.type': { kind: 'choice', values: ['adam', 'sgd'] },
      'training.optimizer.momentum': { kind: 'uniform', low: 0, high: 0.9 },
      'training.optimizer.beta1': { kind: 'uniform', low: 0.8, high: 0.95 },
    };
    const search = resolve({ space, budget: { trials: 20 } });
    const types = planTrials(search).map((values) => {
      const { optimizer } = withValues(search.train, values).training;
      if (optimizer.type === 'sgd') expect(optimizer).not.toHaveProperty('beta1');
      else expect(optimizer).not.toHaveProperty('momentum');
      return optimizer.type;
    });
    expect(new Set(types)).toEqual(new Set(['adam', 'sgd']));
  });

  it('has a default for every preset', () => {
    for (const preset of listPresets()) {
      const search = resolve({}, preset);
      expect(search.space).toEqual(defaultSpace(search.train));
      expect(withValues(search.train, planTrials(search)[0] ?? {}).training).toEqual(search.train.training);
      for (const values of planTrials(search)) expect(() => withValues(search.train, values)).not.toThrow();
    }
    expect(resolve({}, 'mnist-cnn').space).toMatchObject({
      [LR]: { kind: 'logUniform', low: 0.0002, high: 0.02 },
      'training.batchSize': { values: [32, 64, 128] },
      'model.layers.0.filters': { values: [8, 16, 32] },
      'model.layers.6.rate': { kind: 'uniform' },
    });
  });

  it('replaces the epochs of the training by those of the budget, which must hold the least', () => {
    expect(resolve({ budget: { maxEpochs: 4 } }).train.training.epochs).toBe(4);
    expect(() => resolve({ budget: { maxEpochs: 4, minEpochs: 5 } })).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID', field: 'budget.minEpochs' }),
    );
  });
});

describe('what trials are compared by', () => {
  it('is the loss of classes, and the RMSE of a quantity', () => {
    expect(resolve({}).objective).toBe('loss');
    expect(resolve({ objective: 'accuracy' }).objective).toBe('accuracy');
    expect(resolve({}, 'diabetes-linear').objective).toBe('rmse');
    expect(resolve({ objective: 'rmse' }, 'diabetes-linear').objective).toBe('rmse');
  });

  it.each([
    ['mnist-mlp', 'rmse'],
    ['diabetes-linear', 'accuracy'],
    ['diabetes-linear', 'loss'],
  ])('is of %s never the %s', (model, objective) => {
    const refused = expect.objectContaining({ code: 'REQUEST_INVALID', field: 'objective' });
    expect(() => resolve({ objective }, model)).toThrow(refused);
  });
});

describe('the trials of a search', () => {
  it('begin with the configuration as it is, where the space holds it', () => {
    const search = resolve({ space: { [LR]: { kind: 'logUniform', low: 0.001, high: 0.01 } } });
    expect(planTrials(search)[0]).toEqual({ [LR]: 0.003 });
    const elsewhere = resolve({ space: { [LR]: { kind: 'logUniform', low: 0.01, high: 0.1 } } });
    expect(planTrials(elsewhere)[0]).not.toEqual({ [LR]: 0.003 });
  });

  it('follow from seed and number: more of them begin with the same', () => {
    const few = planTrials(resolve({ budget: { trials: 5 } }));
    const many = planTrials(resolve({ budget: { trials: 12 } }));
    expect(many.slice(0, 5)).toEqual(few);
    expect(planTrials(resolve({ budget: { trials: 5 } }, 'mnist-mlp', { seed: 7 }))).not.toEqual(few);
    // Fixed for good: what was searched once can be searched again.
    expect(few[1]).toEqual(SECOND_TRIAL);
  });

  it('are all different: a small space gives fewer', () => {
    const search = resolve({ space: { 'training.batchSize': { kind: 'choice', values: [64, 128, 256] } } });
    expect(
      planTrials(search)
        .map((values) => values['training.batchSize'])
        .sort(),
    ).toEqual([128, 256, 64]);
  });

  it('lie in their ranges and cover them evenly', () => {
    const low = fc.double({ min: 1e-6, max: 1, noNaN: true });
    fc.assert(
      fc.property(low, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (from, u) => {
        for (const kind of ['uniform', 'logUniform'] as const) {
          const range = { kind, low: from, high: from * 50 };
          expect(isWithin(range, drawFrom(range, u))).toBe(true);
        }
        expect(isWithin({ kind: 'int', low: 3, high: 9 }, drawFrom({ kind: 'int', low: 3, high: 9 }, u))).toBe(true);
      }),
    );
    for (const axes of [['a'], ['a', 'b'], ['a', 'b', 'c', 'd', 'e']]) {
      const points = Array.from({ length: 64 }, (_, index) => pointOf(42, index, axes));
      for (const axis of axes.keys()) {
        const eighths = Array.from({ length: 8 }, () => 0);
        for (const point of points) eighths[Math.floor(8 * (point[axis] ?? 0))]! += 1;
        // Even to a few points: at random, 64 points in eighths differ by more than that as a rule.
        expect(Math.max(...eighths) - Math.min(...eighths)).toBeLessThanOrEqual(5);
      }
    }
  });
});

const SECOND_TRIAL: SearchValues = {
  [LR]: 0.0009382,
  'training.batchSize': 64,
  'training.weightDecay': 0.0001,
  'model.layers.1.units': 128,
};

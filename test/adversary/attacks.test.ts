import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Attack } from '../../contracts/adversary.ts';
import { attackBatch } from '../../lib/adversary/index.ts';
import { gradientOf, linearCase, lossOf, oracleOf, predictionOf, rowsOf } from './linear.ts';
import type { LinearCase } from './linear.ts';

const pgd = (changes: Partial<Extract<Attack, { kind: 'pgd' }>> = {}): Attack => ({
  kind: 'pgd',
  steps: 7,
  restarts: 2,
  ...changes,
});

const anyAttack = fc.oneof(
  fc.constant<Attack>({ kind: 'fgsm' }),
  fc.record({
    kind: fc.constant('pgd' as const),
    steps: fc.integer({ min: 1, max: 8 }),
    restarts: fc.integer({ min: 1, max: 3 }),
    stepSize: fc.option(fc.double({ min: 0.01, max: 2, noNaN: true }), { nil: undefined }),
  }),
);
const anyCase = fc.record({
  seed: fc.integer({ min: 0, max: 10_000 }),
  epsilon: fc.double({ min: 0.001, max: 1, noNaN: true }),
  attack: anyAttack,
});

const small = (seed: number): Promise<LinearCase> => linearCase(seed, { samples: 6, size: 9 });

describe('FGSM', () => {
  it('is ε along the sign of Wᵀ(p − y) for a softmax regression, clipped to the range', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { model, batch, oracle } = await linearCase(seed, { samples: 20, size: 16 });
      const epsilon = 0.1;
      const { adversarial } = await attackBatch({ kind: 'fgsm' }, epsilon, batch, oracle);
      const moved = rowsOf(adversarial, 16);
      rowsOf(batch.x, 16).forEach((x, row) => {
        const label = batch.labels[row] as number;
        const expected =
          predictionOf(model, x) === label
            ? gradientOf(model, x, label).map((g, i) =>
                Math.min(255, Math.max(0, (x[i] as number) + 25.5 * Math.sign(g))),
              )
            : x;
        // The examples of a convex loss never lose against the clean sample.
        expect(moved[row]).toEqual(expected.map((value) => expect.closeTo(value, 4)));
      });
    }
  });
});

describe('PGD', () => {
  it('finds the corner of the ball that is the optimum for two classes of a linear model', async () => {
    const { model, batch } = await linearCase(11, { samples: 12, size: 8 });
    // With two classes the sign of the gradient does not depend on x, so that the maximum is in a corner.
    const two = { ...model, classes: 2, weights: model.weights.slice(0, 16), bias: model.bias.slice(0, 2) };
    const labels = batch.labels.map((label) => label % 2);
    const oracle = oracleOf(two, labels);
    const own = { ...batch, labels, clean: await oracle(batch.x) };
    const { loss, predicted } = await attackBatch(pgd({ steps: 40 }), 0.02, own, oracle);
    rowsOf(batch.x, 8).forEach((x, row) => {
      const label = labels[row] as number;
      const corner = gradientOf(two, x, label).map((g, i) =>
        Math.min(255, Math.max(0, (x[i] as number) + 5.1 * Math.sign(g))),
      );
      if (predictionOf(two, corner) === label) expect(loss[row]).toBeCloseTo(lossOf(two, corner, label), 3);
      expect(predicted[row] === label).toBe(predictionOf(two, x) === label && predictionOf(two, corner) === label);
    });
  });

  it('with more steps and restarts breaks no fewer samples', async () => {
    const broken = async (attack: Attack): Promise<number> => {
      const { batch, oracle } = await linearCase(5, { samples: 200, size: 10 });
      const { predicted } = await attackBatch(attack, 0.03, batch, oracle);
      return predicted.filter((label, row) => label !== batch.labels[row]).length;
    };
    const few = await broken(pgd({ steps: 3, restarts: 1, stepSize: 0.2 }));
    expect(await broken(pgd({ steps: 3, restarts: 4, stepSize: 0.2 }))).toBeGreaterThanOrEqual(few);
    expect(few).toBeGreaterThan(0);
  });
});

describe('any attack', () => {
  it('stays within ε of the sample and inside the range, exactly', async () => {
    await fc.assert(
      fc.asyncProperty(anyCase, async ({ seed, epsilon, attack }) => {
        const { batch, oracle } = await small(seed);
        const { adversarial } = await attackBatch(attack, epsilon, batch, oracle);
        adversarial.forEach((value, i) => {
          expect(Math.abs(value - (batch.x[i] as number))).toBeLessThanOrEqual(epsilon * 255);
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(255);
        });
      }),
    );
  });

  it('leaves the defender no better than the clean sample, and says of each example what the model says', async () => {
    await fc.assert(
      fc.asyncProperty(anyCase, async ({ seed, epsilon, attack }) => {
        const { model, batch, oracle } = await small(seed);
        const { adversarial, predicted, loss } = await attackBatch(attack, epsilon, batch, oracle);
        rowsOf(adversarial, batch.size).forEach((x, row) => {
          const label = batch.labels[row] as number;
          const cleanWrong = batch.clean.predicted[row] !== label;
          if (cleanWrong) expect(predicted[row]).toBe(batch.clean.predicted[row]);
          if (predicted[row] === label) expect(loss[row]).toBeGreaterThanOrEqual(batch.clean.loss[row] as number);
          expect(predicted[row]).toBe(predictionOf(model, x));
        });
      }),
    );
  });

  it('gives a sample the same example whatever shares its batch', async () => {
    await fc.assert(
      fc.asyncProperty(anyCase, async ({ seed, epsilon, attack }) => {
        const whole = await small(seed);
        const all = rowsOf((await attackBatch(attack, epsilon, whole.batch, whole.oracle)).adversarial, 9);
        for (const ids of [[0, 1], [4], [5, 2]]) {
          const part = await linearCase(seed, { samples: ids.length, size: 9, ids });
          const { adversarial } = await attackBatch(attack, epsilon, part.batch, part.oracle);
          expect(rowsOf(adversarial, 9)).toEqual(ids.map((id) => all[id]));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('does not change the samples it was given', async () => {
    const { batch, oracle } = await small(3);
    const before = batch.x.slice();
    await attackBatch(pgd(), 0.3, batch, oracle);
    expect(batch.x).toEqual(before);
  });

  it('asks for no more gradients once every sample is fooled', async () => {
    const { batch, oracle } = await small(9);
    let asked = 0;
    const counting = (x: Float32Array) => {
      asked += 1;
      return oracle(x);
    };
    await attackBatch(pgd({ steps: 500, restarts: 9 }), 1, batch, counting);
    expect(asked).toBeLessThan(500);
  });
});

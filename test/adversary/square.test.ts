import { describe, expect, it } from '@jest/globals';
import { attackBatch, shareAt, squareAttack } from '../../lib/adversary/index.ts';
import { RandomStream } from '../../lib/ml/index.ts';
import { linearCase, lossOf, rowsOf } from './linear.ts';
import type { LinearCase } from './linear.ts';

const SAMPLES = 60;
const SIZE = 48;

/** Probabilities of a softmax regression, from its loss: p = exp(-J). */
const scoresOf =
  ({ model }: LinearCase) =>
  async (x: Float32Array): Promise<Float32Array> =>
    Float32Array.from(rowsOf(x, SIZE).flatMap((row) => [0, 1, 2].map((label) => Math.exp(-lossOf(model, row, label)))));

async function attacked(world: LinearCase, queries: number, epsilon: number, shape: readonly number[] = [SIZE]) {
  const { x, labels, range } = world.batch;
  const oracle = scoresOf(world);
  let asked = 0;
  const result = await squareAttack(
    { queries },
    epsilon,
    {
      ...{ x, labels, range, shape, classes: 3, clean: await oracle(x) },
      uniform: (row) => {
        const stream = new RandomStream('square', row);
        return () => stream.uniform();
      },
    },
    (samples, count) => {
      asked += count;
      expect(samples.length).toBe(count * SIZE);
      return oracle(samples);
    },
  );
  const right = [...result.predicted].filter((label, row) => label === labels[row]).length;
  return { ...result, right, asked };
}

const rightOf = (predicted: Int32Array, labels: Int32Array): number =>
  [...predicted].filter((label, row) => label === labels[row]).length;

describe('squareAttack', () => {
  it.each([
    ['values without places', [SIZE]],
    ['pictures', [4, 4, 3]],
  ])('lies between PGD and no attack, and gets nearer with queries: %s', async (_, shape) => {
    const epsilon = 0.03;
    const world = await linearCase(5, { samples: SAMPLES, size: SIZE });
    const { labels, clean } = world.batch;
    const pgd = await attackBatch({ kind: 'pgd', steps: 40, restarts: 1 }, epsilon, world.batch, world.oracle);
    const few = await attacked(world, 3, epsilon, shape);
    const many = await attacked(world, 600, epsilon, shape);
    expect(many.right).toBeGreaterThanOrEqual(rightOf(pgd.predicted, labels));
    expect(few.right).toBeGreaterThan(many.right);
    expect(rightOf(clean.predicted, labels)).toBeGreaterThan(few.right - 1);
    // On a linear model the corner of the ball is the optimum, and random search comes near it.
    expect(many.right - rightOf(pgd.predicted, labels)).toBeLessThanOrEqual(3);
  });

  it('stays in the ball and in the range, and leaves what is wrong anyway', async () => {
    const epsilon = 0.1;
    const world = await linearCase(6, { samples: SAMPLES, size: SIZE });
    const { x, labels, clean } = world.batch;
    const { adversarial, asked } = await attacked(world, 30, epsilon);
    for (const [i, moved] of adversarial.entries()) {
      expect(Math.abs(moved - (x[i] as number)) <= epsilon * 255 && moved >= 0 && moved <= 255).toBe(true);
    }
    for (const [row, label] of labels.entries()) {
      if (clean.predicted[row] === label) continue;
      expect(adversarial.slice(row * SIZE, (row + 1) * SIZE)).toEqual(x.slice(row * SIZE, (row + 1) * SIZE));
    }
    expect(asked).toBeLessThanOrEqual(30 * SAMPLES);
  });

  it('is the same for a sample whatever stands beside it', async () => {
    const [one, two] = [
      await linearCase(7, { samples: 8, size: SIZE }),
      await linearCase(7, { samples: 4, size: SIZE }),
    ];
    const [more, fewer] = [await attacked(one, 50, 0.02), await attacked(two, 50, 0.02)];
    expect(more.adversarial.slice(0, 4 * SIZE)).toEqual(fewer.adversarial);
  });
});

describe('shareAt', () => {
  it('halves the share as AutoAttack does', () => {
    const at = [0, 0.001, 0.0011, 0.02, 0.021, 0.79, 1];
    expect(at.map(shareAt)).toEqual([0.8, 0.8, 0.4, 0.2, 0.1, 0.8 / 256, 0.8 / 512]);
  });
});

import { describe, expect, it } from '@jest/globals';
import type { Measurement } from '../../contracts/adversary.ts';
import { proportion, summarise } from '../../lib/adversary/index.ts';
import type { BatchResult } from '../../lib/adversary/index.ts';

const measurement: Measurement = {
  attacks: [{ kind: 'fgsm' }, { kind: 'pgd', steps: 5, restarts: 1 }],
  epsilons: [0.1, 0.2],
  samples: 4,
  seed: 1,
};
const examples = { uri: 'cas://sha256/0', sha256: '0'.repeat(64), bytes: 0, mediaType: 'application/octet-stream' };

/** Two batches of two samples of class 0; a prediction other than 0 is an error. */
function batch(number: number, predictions: readonly number[][]): BatchResult {
  const names = ['fgsm', 'fgsm', 'pgd-5', 'pgd-5'];
  return {
    batch: number,
    indices: [2 * number, 2 * number + 1],
    labels: [0, 0],
    clean: predictions[0] ?? [],
    trials: names.map((attack, i) => ({
      attack,
      epsilon: [0.1, 0.2][i % 2] ?? 0,
      predicted: predictions[i + 1] ?? [],
    })),
    examples,
    gradients: 10,
    seconds: 0.5,
    deviceClass: 'cpu-avx2',
  };
}

const batches = [
  // Broken by FGSM at 0.1, though PGD misses it; right but for PGD at 0.2.
  batch(0, [
    [0, 0],
    [1, 0],
    [0, 0],
    [0, 0],
    [0, 3],
  ]),
  // Wrong from the start; never broken.
  batch(1, [
    [2, 0],
    [2, 0],
    [2, 0],
    [2, 0],
    [2, 0],
  ]),
];
const agreeing = batches.map(({ clean, trials }) =>
  Int32Array.from([clean, ...trials.map(({ predicted }) => predicted)].flat()),
);

describe('the numbers of a measurement', () => {
  const measured = summarise(measurement, batches, agreeing);

  it('are accuracies by attack and ε', () => {
    expect(measured.clean.value).toBe(0.75);
    expect(measured.attacks.map(({ attack, epsilon, accuracy }) => [attack, epsilon, accuracy.value])).toEqual([
      ['fgsm', 0.1, 0.5],
      ['fgsm', 0.2, 0.75],
      ['pgd-5', 0.1, 0.75],
      ['pgd-5', 0.2, 0.5],
    ]);
    expect(measured).toMatchObject({ samples: 4, gradients: 20, seconds: 1, deviceClass: 'cpu-avx2' });
  });

  it('count a sample as broken in the worst case when any attack broke it at this ε or a smaller one', () => {
    expect(measured.worst.map(({ accuracy }) => accuracy.value)).toEqual([0.5, 0.25]);
  });

  it('tell how far the served graph agrees', () => {
    expect(measured.served).toMatchObject({ examples: 20, same: 20 });
    const other = agreeing.map((labels) => labels.slice());
    (other[1] as Int32Array)[1] = 5;
    const { served } = summarise(measurement, batches, other);
    expect(served).toMatchObject({ examples: 20, same: 19, clean: { value: 0.5 } });
    expect(served.worst.map(({ accuracy }) => accuracy.value)).toEqual([0.25, 0]);
  });

  it.each<[string, Measurement, readonly BatchResult[]]>([
    ['a missing batch', measurement, batches.slice(1)],
    ['batches of other attacks', { ...measurement, epsilons: [0.1, 0.3] }, batches],
    ['no batches', measurement, []],
  ])('are refused for %s', (_, of, which) => {
    expect(() => summarise(of, which, agreeing)).toThrow(expect.objectContaining({ code: 'ATTACK_INPUT_INVALID' }));
  });

  it('are refused where the graph did not predict everything', () => {
    const part = agreeing.map((labels) => labels.subarray(1));
    expect(() => summarise(measurement, batches, part)).toThrow(/not predicted as a whole/);
  });
});

describe('a proportion', () => {
  it.each([
    [0, 1000],
    [150, 1000],
    [999, 1000],
    [10, 10],
    [1, 3],
  ])('%d of %d has the interval of Wilson', (count, total) => {
    const { value, low, high } = proportion(count, total);
    expect(value).toBe(count / total);
    // Its ends are the true proportions that a test of the score at 5 % just does not refuse: the definition.
    const z = 1.959963984540054;
    for (const end of [low, high].filter((bound) => bound > 0 && bound < 1)) {
      expect(Math.abs(value - end) / Math.sqrt((end * (1 - end)) / total)).toBeCloseTo(z, 6);
    }
    expect(low).toBeLessThanOrEqual(value);
    expect(high).toBeGreaterThanOrEqual(value);
    expect(high - low).toBeGreaterThan(0);
  });
});

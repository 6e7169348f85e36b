import { describe, expect, it } from '@jest/globals';
import { MisuseError, shapiroWilk } from '../../lib/misuse/index.ts';
import { normalQuantile } from '../../lib/misuse/normal-quantile.ts';

/** The same numbers as the reference was given: a linear congruential generator, as C's rand is described by. */
function uniform(count: number, seed: number): number[] {
  let state = BigInt(seed);
  return Array.from({ length: count }, () => {
    state = (state * 1_103_515_245n + 12_345n) % 2_147_483_648n;
    return Number(state) / 2_147_483_648;
  });
}

/** W by `scipy.stats.shapiro` 1.17.1, of so many such numbers and of their cubes. */
const SCIPY = [
  [3, 0.952298989801384, 0.855626565495371],
  [4, 0.8842330413536613, 0.6882231022889878],
  [5, 0.8186870239382951, 0.6751061461239307],
  [6, 0.9083717204493896, 0.7699157960256964],
  [12, 0.9030970204531433, 0.8114523081118067],
  [50, 0.9336430131229014, 0.8664315594698142],
  [101, 0.9355722588530716, 0.8269156915708666],
  [400, 0.9425071609618068, 0.8224957312148311],
  [2000, 0.9563125325169698, 0.8331364577875148],
] as const;

describe('shapiroWilk', () => {
  it.each(SCIPY)('agrees with SciPy for %d numbers', (count, plain, cubed) => {
    const sample = uniform(count, count);
    expect(shapiroWilk(sample)).toBeCloseTo(plain, 6);
    expect(shapiroWilk(sample.map((value) => value ** 3))).toBeCloseTo(cubed, 6);
  });

  it('agrees with the weights of eleven men of Shapiro and Wilk (1965)', () => {
    const weights = [148, 154, 158, 160, 161, 162, 166, 170, 182, 195, 236];
    expect(shapiroWilk(weights)).toBeCloseTo(0.7888146948631716, 6);
  });

  it('neither depends on the order nor on unit and origin', () => {
    const sample = uniform(60, 7);
    const w = shapiroWilk(sample);
    expect(shapiroWilk([...sample].reverse())).toBe(w);
    expect(shapiroWilk(sample.map((value) => 1000 - 3 * value))).toBeCloseTo(w, 9);
  });

  it.each([
    ['two numbers', [1, 2]],
    ['numbers that are all equal', [1, 1, 1, 1]],
    ['what is no number', [1, 2, Number.NaN, 4]],
    ['too many', new Float64Array(5001)],
  ])('refuses %s', (_, sample) => {
    expect(() => shapiroWilk(sample)).toThrow(MisuseError);
  });
});

it.each([
  [0.001, -3.090232306167813],
  [0.025, -1.9599639845400545],
  [0.3, -0.5244005127080409],
  [0.5, 0],
  [0.9, 1.2815515655446004],
  [0.975, 1.959963984540054],
  [1e-12, -7.034483825301131],
])('normalQuantile(%d) agrees with SciPy', (p, expected) => {
  expect(normalQuantile(p)).toBeCloseTo(expected, 12);
});

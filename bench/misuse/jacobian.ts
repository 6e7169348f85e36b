import { SoftmaxRegression } from './softmax.ts';

export type Oracle = (x: Float32Array) => number;

/**
 * Jacobian-based data augmentation (Papernot et al., "Practical Black-Box Attacks against Machine Learning", ASIA CCS
 * 2017, algorithm 1): the thief labels some samples of its own with the victim, trains a substitute on them, and doubles
 * the set by moving each along the sign of the substitute's gradient; then again.
 *
 * @returns the substitute; every query goes through `oracle`
 */
export function extract(
  seeds: readonly Float32Array[],
  oracle: Oracle,
  { classes = 10, rounds = 4, step = 25.5 } = {},
): SoftmaxRegression {
  const known = seeds.map((x) => ({ x, y: oracle(x) }));
  const substitute = new SoftmaxRegression(seeds[0]?.length ?? 0, classes);
  for (let round = 0; round < rounds; round += 1) {
    substitute.fit(known, 4);
    const made = known.map(({ x, y }) => moved(x, substitute.gradient(x, y), step));
    for (const x of made) known.push({ x, y: oracle(x) });
  }
  substitute.fit(known, 4);
  return substitute;
}

function moved(x: Float32Array, gradient: Float64Array, step: number): Float32Array {
  return x.map((value, index) => Math.min(255, Math.max(0, value + step * Math.sign(gradient[index] ?? 0))));
}

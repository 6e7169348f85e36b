import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Draws of signs; the smallest p-value is 1 / (DRAWS + 1). */
const DRAWS = 9_999;

export interface PairedErrors {
  readonly truths: Float32Array;
  /** Predicted quantities of the same samples. */
  readonly first: Float32Array;
  readonly second: Float32Array;
  readonly seed: number;
}

/**
 * One-sided paired permutation test of the mean squared error. Null hypothesis: the two models are exchangeable, so the
 * sign of each sample's difference of squared errors is a coin's; the p-value is the share of sign draws whose mean is at
 * least the one seen, the seen one counted (Phipson and Smyth, 2010). Small p-values say that the second is worse. No
 * distribution of the errors is assumed.
 *
 * @see Good, "Permutation, Parametric and Bootstrap Tests of Hypotheses", 3rd edition, 2005
 */
export function pairedPermutation(o: PairedErrors): { readonly difference: number; readonly pValue: number } {
  const differences = Float64Array.from(
    o.truths,
    (truth, i) => ((o.second[i] as number) - truth) ** 2 - ((o.first[i] as number) - truth) ** 2,
  );
  const seen = differences.reduce((sum, value) => sum + value, 0);
  // What rounding makes of equal sums must not decide.
  const bound = seen - 1e-12 * differences.reduce((sum, value) => sum + Math.abs(value), 0);
  const random = xoroshiro128plus(o.seed);
  let extreme = 1;
  for (let draw = 0; draw < DRAWS; draw++) {
    let sum = 0;
    let bits = 0;
    for (const [i, value] of differences.entries()) {
      if (i % 16 === 0) bits = uniformInt(random, 0, 0xffff);
      sum += (bits >>> (i % 16)) & 1 ? value : -value;
    }
    if (sum >= bound) extreme += 1;
  }
  return { difference: seen / differences.length, pValue: extreme / (DRAWS + 1) };
}

import { MisuseError } from './errors.ts';
import { normalQuantile, polynomial } from './normal-quantile.ts';

/** Corrections of the two outer weights, as polynomials of 1/√n. */
const OUTER = [0, 0.221157, -0.147981, -2.07119, 4.434685, -2.706056];
const NEXT = [0, 0.042981, -0.293762, -1.752461, 5.682633, -3.582633];

/** The approximation is good from here, */
const LEAST = 3;
/** to here. */
const MOST = 5000;

const weightsOf = new Map<number, Float64Array>();

/**
 * Shapiro and Wilk's W: how close a sample is to a normal distribution, 1 being closest.
 *
 * @param sample 3 to 5,000 finite numbers in any order, not all equal
 * @throws MisuseError `REQUEST_INVALID` for anything else
 *
 * Source: Royston, "Remark AS R94: A Remark on Algorithm AS 181: The W-test for Normality", Applied Statistics 44 (1995).
 */
export function shapiroWilk(sample: ArrayLike<number>): number {
  const n = sample.length;
  if (n < LEAST || n > MOST) {
    throw new MisuseError('REQUEST_INVALID', `W is defined for ${LEAST} to ${MOST} numbers, not ${n}.`);
  }
  const sorted = Float64Array.from(sample).sort();
  let sum = 0;
  for (const value of sorted) sum += value;
  const mean = sum / n;
  let squares = 0;
  for (const value of sorted) squares += (value - mean) ** 2;
  if (!Number.isFinite(squares) || squares === 0) {
    throw new MisuseError('REQUEST_INVALID', 'W is not defined for numbers that are all equal or not finite.');
  }
  const weights = weightsFor(n);
  let slope = 0;
  for (let index = 0; index < weights.length; index += 1) {
    slope += (weights[index] ?? 0) * ((sorted[n - 1 - index] ?? 0) - (sorted[index] ?? 0));
  }
  return Math.min(1, (slope * slope) / squares);
}

/** Of the larger half, from the outermost in; those of the smaller half are their negatives. */
function weightsFor(n: number): Float64Array {
  const known = weightsOf.get(n);
  if (known !== undefined) return known;
  const half = Math.floor(n / 2);
  const scores = Float64Array.from({ length: half }, (_, index) => normalQuantile((index + 0.625) / (n + 0.25)));
  const weights = n === LEAST ? Float64Array.of(Math.SQRT1_2) : royston(n, scores);
  // Windows have few lengths; a caller with many is not remembered.
  if (weightsOf.size < 64) weightsOf.set(n, weights);
  return weights;
}

function royston(n: number, scores: Float64Array): Float64Array {
  const squares = 2 * scores.reduce((sum, score) => sum + score * score, 0);
  const root = Math.sqrt(squares);
  const x = 1 / Math.sqrt(n);
  const [m1 = 0, m2 = 0] = scores;
  const first = polynomial(OUTER, x) - m1 / root;
  const second = n > 5 ? polynomial(NEXT, x) - m2 / root : undefined;
  const fixed = second === undefined ? [first] : [first, second];
  const rest = squares - 2 * (m1 * m1 + (second === undefined ? 0 : m2 * m2));
  const factor = Math.sqrt(rest / (1 - 2 * fixed.reduce((sum, weight) => sum + weight * weight, 0)));
  return scores.map((score, index) => fixed[index] ?? -score / factor);
}

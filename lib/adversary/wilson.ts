import type { MetricInterval } from '../../contracts/train-register-deploy.ts';

/** The 97.5 % quantile of the standard normal distribution. */
const Z = 1.959963984540054;

/**
 * A proportion with its 95 % score interval (Wilson, 1927). Unlike a bootstrap it has a width where nothing, or all, was
 * counted, which is where attacks often end.
 */
export function proportion(count: number, total: number): MetricInterval {
  const value = count / total;
  const square = Z * Z;
  const centre = (value + square / (2 * total)) / (1 + square / total);
  const half = (Z / (1 + square / total)) * Math.sqrt((value * (1 - value)) / total + square / (4 * total * total));
  // The ends are exact where rounding would miss them by a hair.
  return { value, low: count === 0 ? 0 : centre - half, high: count === total ? 1 : centre + half };
}

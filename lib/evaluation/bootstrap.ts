import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { MetricInterval } from '../../contracts/train-register-deploy.ts';
import { emptyTally, metricsOf, tallier } from './metrics.ts';
import type { Metrics, Tally } from './metrics.ts';
import type { Predictions } from './predictions.ts';

export interface BootstrapOptions {
  readonly seed: number;
  readonly resamples: number;
  /** Called after every 50 resamples with the number done. */
  readonly onProgress?: (done: number) => void;
}

export const INTERVAL_LEVEL = 0.95;

/** Sums over all samples, and every metric with its interval. */
export interface Estimates {
  readonly tally: Tally;
  readonly metrics: Metrics<MetricInterval>;
}

/**
 * Point estimates with 95 % percentile bootstrap intervals (Efron and Tibshirani, 1993, chapter 13): samples are drawn
 * with replacement, all metrics are computed on each draw, and the 2.5 % and 97.5 % quantiles bound the interval. Same
 * predictions and seed: same numbers. Resampling adds noise to each confidence bin, so the interval of a small calibration
 * error lies mostly above its estimate.
 */
export function estimate(predictions: Predictions, o: BootstrapOptions): Estimates {
  const add = tallier(predictions);
  const samples = predictions.labels.length;
  const tally = emptyTally(predictions.classes);
  for (let i = 0; i < samples; i++) add(tally, i);
  const point = flatten(metricsOf(tally));
  const columns = point.map(() => new Float64Array(o.resamples));
  const random = xoroshiro128plus(o.seed);
  for (let r = 0; r < o.resamples; r++) {
    const draw = emptyTally(predictions.classes);
    for (let i = 0; i < samples; i++) add(draw, uniformInt(random, 0, samples - 1));
    for (const [column, value] of flatten(metricsOf(draw)).entries()) (columns[column] as Float64Array)[r] = value;
    if ((r + 1) % 50 === 0) o.onProgress?.(r + 1);
  }
  const intervals = columns.map((values, column) => interval(point[column] ?? 0, values.sort()));
  return { tally, metrics: unflatten(intervals, predictions.classes) };
}

/** @param sorted values of the resamples, ascending */
export function interval(value: number, sorted: Float64Array): MetricInterval {
  const tail = (1 - INTERVAL_LEVEL) / 2;
  return { value, low: quantile(sorted, tail), high: quantile(sorted, 1 - tail) };
}

/** Linear interpolation between order statistics (Hyndman and Fan's type 7, the default of NumPy and R). */
export function quantile(sorted: Float64Array, q: number): number {
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? below;
  return below + (above - below) * (position - Math.floor(position));
}

function flatten({ accuracy, macroF1, logLoss, ece, precision, recall, f1, confusion }: Metrics): number[] {
  return [accuracy, macroF1, logLoss, ece, ...precision, ...recall, ...f1, ...confusion];
}

function unflatten(values: readonly MetricInterval[], classes: number): Metrics<MetricInterval> {
  const [accuracy, macroF1, logLoss, ece] = values.slice(0, 4) as [
    MetricInterval,
    MetricInterval,
    MetricInterval,
    MetricInterval,
  ];
  const block = (index: number): MetricInterval[] => values.slice(4 + index * classes, 4 + (index + 1) * classes);
  return {
    accuracy,
    macroF1,
    logLoss,
    ece,
    precision: block(0),
    recall: block(1),
    f1: block(2),
    confusion: values.slice(4 + 3 * classes),
  };
}

import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { z } from 'zod';
import { RegressionSummary } from '../../contracts/train-register-deploy.ts';
import { INTERVAL_LEVEL, interval } from './bootstrap.ts';
import { EvaluationError } from './errors.ts';
import { reportHead, RESAMPLES } from './report.ts';
import type { ReportOptions } from './report.ts';

const LARGEST_ERRORS = 24;
const PERCENTILES = [0, 5, 25, 50, 75, 95, 100];

/** The full evaluation of a regression on one test set, as it is stored and logged. */
export const RegressionReport = z.strictObject({
  ...reportHead,
  task: z.literal('regression'),
  target: z.strictObject({ name: z.string(), unit: z.string().optional() }),
  summary: RegressionSummary,
  /** Of predicted minus true, in the unit of the target. */
  residuals: z.strictObject({
    mean: z.number(),
    percentiles: z.array(z.strictObject({ percent: z.number(), value: z.number() })),
  }),
  /** `sample` is the index in the test set. */
  largestErrors: z.array(z.strictObject({ sample: z.int(), truth: z.number(), predicted: z.number() })),
});
export type RegressionReport = z.infer<typeof RegressionReport>;

export interface RegressionReportOptions extends Pick<
  ReportOptions,
  'model' | 'dataset' | 'testSet' | 'seed' | 'onProgress'
> {
  readonly target: { readonly name: string; readonly unit?: string | undefined };
  readonly truths: Float32Array;
  readonly predicted: Float32Array;
}

/**
 * Root mean squared error, mean absolute error and R² with 95 % percentile bootstrap intervals, as `estimate` has them
 * for classifiers. Same predictions and seed: same report.
 *
 * @throws EvaluationError where predictions do not fit the targets or are not finite
 */
export function createRegressionReport(o: RegressionReportOptions): RegressionReport {
  check(o);
  const residuals = Float64Array.from(o.predicted, (value, i) => value - (o.truths[i] as number));
  const sorted = residuals.toSorted();
  const order = [...residuals.keys()].sort(
    (a, b) => Math.abs(residuals[b] as number) - Math.abs(residuals[a] as number) || a - b,
  );
  return RegressionReport.parse({
    version: 1,
    task: 'regression',
    model: o.model,
    dataset: o.dataset,
    testSet: { ...o.testSet },
    intervals: { level: INTERVAL_LEVEL, method: 'percentile bootstrap', resamples: RESAMPLES, seed: o.seed },
    target: { ...o.target },
    summary: summarise(o, residuals),
    residuals: {
      mean: residuals.reduce((sum, value) => sum + value, 0) / residuals.length,
      percentiles: PERCENTILES.map((percent) => ({
        percent,
        value: sorted[Math.round((percent / 100) * (sorted.length - 1))],
      })),
    },
    largestErrors: order.slice(0, LARGEST_ERRORS).map((sample) => ({
      sample,
      truth: o.truths[sample],
      predicted: o.predicted[sample],
    })),
  });
}

function summarise({ truths, seed, onProgress }: RegressionReportOptions, residuals: Float64Array): RegressionSummary {
  const samples = truths.length;
  const point = metrics(truths, residuals, (i) => i);
  const columns = point.map(() => new Float64Array(RESAMPLES));
  const random = xoroshiro128plus(seed);
  const draw = new Int32Array(samples);
  for (let r = 0; r < RESAMPLES; r++) {
    for (let i = 0; i < samples; i++) draw[i] = uniformInt(random, 0, samples - 1);
    metrics(truths, residuals, (i) => draw[i] as number).forEach((value, column) => {
      (columns[column] as Float64Array)[r] = value;
    });
    if ((r + 1) % 50 === 0) onProgress?.(r + 1);
  }
  const [rmse, mae, r2] = columns.map((values, column) => interval(point[column] as number, values.sort()));
  return RegressionSummary.parse({ task: 'regression', samples, rmse, mae, r2 });
}

/** Root mean squared error, mean absolute error, R²; of a constant target R² is 1 without any error and else 0. */
function metrics(
  truths: Float32Array,
  residuals: Float64Array,
  at: (index: number) => number,
): [number, number, number] {
  const samples = truths.length;
  let mean = 0;
  let squares = 0;
  let absolute = 0;
  for (let i = 0; i < samples; i++) {
    const residual = residuals[at(i)] as number;
    mean += (truths[at(i)] as number) / samples;
    squares += residual ** 2;
    absolute += Math.abs(residual);
  }
  let spread = 0;
  for (let i = 0; i < samples; i++) spread += ((truths[at(i)] as number) - mean) ** 2;
  const r2 = spread > 0 ? 1 - squares / spread : squares === 0 ? 1 : 0;
  return [Math.sqrt(squares / samples), absolute / samples, r2];
}

function check({ truths, predicted }: RegressionReportOptions): void {
  if (truths.length === 0 || predicted.length !== truths.length) {
    throw new EvaluationError(
      'EVALUATION_INPUT_INVALID',
      `${predicted.length} predictions do not fit ${truths.length} targets`,
      { field: 'predictions' },
    );
  }
  const broken = predicted.findIndex((value) => !Number.isFinite(value));
  if (broken === -1) return;
  throw new EvaluationError('EVALUATION_INPUT_INVALID', `prediction ${broken} is ${predicted[broken]}`, {
    field: 'predictions',
  });
}

import { z } from 'zod';
import { ClassificationSummary, MetricInterval } from '../../contracts/train-register-deploy.ts';
import { Name, Sha256 } from '../../contracts/reference.ts';
import { INTERVAL_LEVEL, estimate } from './bootstrap.ts';
import { CALIBRATION_BINS } from './metrics.ts';
import type { Tally } from './metrics.ts';
import type { Predictions } from './predictions.ts';

/** What every report says. */
export const reportHead = {
  version: z.literal(1),
  model: Name,
  dataset: Name,
  /** Digests of the test samples and labels: two reports compare only where these are equal. */
  testSet: z.strictObject({ x: Sha256, y: Sha256 }),
  intervals: z.strictObject({
    level: z.number(),
    method: z.literal('percentile bootstrap'),
    resamples: z.int(),
    seed: z.int(),
  }),
};

/** The full evaluation of a classifier on one test set, as it is stored and logged. */
export const ClassificationReport = z.strictObject({
  ...reportHead,
  summary: ClassificationSummary,
  perClass: z.array(
    z.strictObject({
      label: z.string(),
      support: z.int(),
      precision: MetricInterval,
      recall: MetricInterval,
      f1: MetricInterval,
    }),
  ),
  /** `matrix[true][predicted]`, in samples. */
  confusion: z.strictObject({ labels: z.array(z.string()), matrix: z.array(z.array(MetricInterval)) }),
  /** Equal-width bins of confidence; `confidence` and `accuracy` are means, absent in empty bins. */
  calibration: z.array(
    z.strictObject({
      from: z.number(),
      to: z.number(),
      samples: z.int(),
      confidence: z.number().optional(),
      accuracy: z.number().optional(),
    }),
  ),
  /** Wrong predictions of the highest confidence first; `sample` is the index in the test set. */
  worstMistakes: z.array(
    z.strictObject({ sample: z.int(), label: z.string(), predicted: z.string(), confidence: z.number() }),
  ),
});
export type ClassificationReport = z.infer<typeof ClassificationReport>;

export const RESAMPLES = 1000;
const WORST_MISTAKES = 24;

export interface ReportOptions {
  readonly model: string;
  readonly dataset: string;
  readonly testSet: { readonly x: string; readonly y: string };
  /** Names of the classes, by index. */
  readonly labels: readonly string[];
  readonly predictions: Predictions;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
}

/** Computes every metric with its interval. Same predictions and seed: same report. */
export function createReport(o: ReportOptions): ClassificationReport {
  const { tally, metrics } = estimate(o.predictions, { seed: o.seed, resamples: RESAMPLES, onProgress: o.onProgress });
  const { accuracy, macroF1, logLoss, ece } = metrics;
  const classes = o.labels.length;
  const rows = o.labels.map((_, row) => metrics.confusion.slice(row * classes, (row + 1) * classes));
  return ClassificationReport.parse({
    version: 1,
    model: o.model,
    dataset: o.dataset,
    testSet: { ...o.testSet },
    intervals: { level: INTERVAL_LEVEL, method: 'percentile bootstrap', resamples: RESAMPLES, seed: o.seed },
    summary: { samples: tally.samples, accuracy, macroF1, logLoss, ece },
    perClass: o.labels.map((label, c) => ({
      label,
      support: (rows[c] ?? []).reduce((sum, cell) => sum + cell.value, 0),
      precision: metrics.precision[c],
      recall: metrics.recall[c],
      f1: metrics.f1[c],
    })),
    confusion: { labels: [...o.labels], matrix: rows },
    calibration: calibrationBins(tally),
    worstMistakes: worstMistakes(o.predictions, o.labels),
  });
}

function calibrationBins({ binCount, binConfidence, binCorrect }: Tally): ClassificationReport['calibration'] {
  return Array.from({ length: CALIBRATION_BINS }, (_, bin) => {
    const samples = binCount[bin] ?? 0;
    const range = { from: bin / CALIBRATION_BINS, to: (bin + 1) / CALIBRATION_BINS, samples };
    if (samples === 0) return range;
    return { ...range, confidence: (binConfidence[bin] ?? 0) / samples, accuracy: (binCorrect[bin] ?? 0) / samples };
  });
}

function worstMistakes(
  { labels, predicted, confidence }: Predictions,
  names: readonly string[],
): ClassificationReport['worstMistakes'] {
  return [...labels.keys()]
    .filter((sample) => labels[sample] !== predicted[sample])
    .sort((a, b) => (confidence[b] ?? 0) - (confidence[a] ?? 0) || a - b)
    .slice(0, WORST_MISTAKES)
    .map((sample) => ({
      sample,
      label: names[labels[sample] ?? -1] ?? '',
      predicted: names[predicted[sample] ?? -1] ?? '',
      confidence: confidence[sample] ?? 0,
    }));
}

import type { Predictions } from './predictions.ts';

/** Number of confidence bins of the calibration error. */
export const CALIBRATION_BINS = 15;

/** Sums over a set of samples from which every metric follows; a resample is summarised by one of these. */
export interface Tally {
  readonly classes: number;
  samples: number;
  loss: number;
  /** Row: true class, column: predicted class, row-major. */
  readonly confusion: Float64Array;
  readonly binCount: Float64Array;
  readonly binConfidence: Float64Array;
  readonly binCorrect: Float64Array;
}

export function emptyTally(classes: number): Tally {
  return {
    classes,
    samples: 0,
    loss: 0,
    confusion: new Float64Array(classes * classes),
    binCount: new Float64Array(CALIBRATION_BINS),
    binConfidence: new Float64Array(CALIBRATION_BINS),
    binCorrect: new Float64Array(CALIBRATION_BINS),
  };
}

/**
 * Equal-width bin of a confidence: bin m holds ((m - 1) / 15, m / 15], as in Guo et al., "On Calibration of Modern
 * Neural Networks", ICML 2017.
 */
export function calibrationBin(confidence: number): number {
  return Math.min(CALIBRATION_BINS - 1, Math.max(0, Math.ceil(confidence * CALIBRATION_BINS) - 1));
}

/** A function that adds sample i to a tally; what does not change between resamples is computed once. */
export function tallier(predictions: Predictions): (tally: Tally, sample: number) => void {
  const { classes, labels, predicted, confidence, loss } = predictions;
  const cell = labels.map((label, i) => label * classes + (predicted[i] ?? 0));
  const correct = Uint8Array.from(labels, (label, i) => (label === predicted[i] ? 1 : 0));
  const bin = Uint8Array.from(confidence, calibrationBin);
  return (tally, sample) => {
    const b = bin[sample] as number;
    tally.samples += 1;
    tally.loss += loss[sample] as number;
    (tally.confusion[cell[sample] as number] as number) += 1;
    (tally.binCount[b] as number) += 1;
    (tally.binConfidence[b] as number) += confidence[sample] as number;
    (tally.binCorrect[b] as number) += correct[sample] as number;
  };
}

/** Every metric of one set of samples; arrays are by class, `confusion` row-major by true and predicted class. */
export interface Metrics<T = number> {
  readonly accuracy: T;
  readonly macroF1: T;
  readonly logLoss: T;
  readonly ece: T;
  readonly precision: T[];
  readonly recall: T[];
  readonly f1: T[];
  readonly confusion: T[];
}

/**
 * - accuracy: share of samples whose predicted class is the true one
 * - precision, recall, F1 by class; 0 where nothing was predicted or nothing is true
 * - macro F1: mean F1 over the classes that occur in truth or prediction
 * - log loss: mean cross-entropy in nats
 * - ECE: expected calibration error, the mean gap between accuracy and confidence of a bin, weighted by its samples
 */
export function metricsOf(tally: Tally): Metrics {
  const { classes, confusion, samples } = tally;
  const cell = (row: number, column: number): number => confusion[row * classes + column] ?? 0;
  const all = Array.from({ length: classes }, (_, c) => c);
  const support = all.map((c) => all.reduce((sum, other) => sum + cell(c, other), 0));
  const predicted = all.map((c) => all.reduce((sum, other) => sum + cell(other, c), 0));
  const hits = all.map((c) => cell(c, c));
  const f1 = all.map((c) => ratio(2 * (hits[c] ?? 0), (support[c] ?? 0) + (predicted[c] ?? 0)));
  const occurring = all.filter((c) => (support[c] ?? 0) + (predicted[c] ?? 0) > 0);
  return {
    accuracy: hits.reduce((sum, count) => sum + count, 0) / samples,
    macroF1: occurring.reduce((sum, c) => sum + (f1[c] ?? 0), 0) / occurring.length,
    logLoss: tally.loss / samples,
    ece: calibrationError(tally),
    precision: all.map((c) => ratio(hits[c] ?? 0, predicted[c] ?? 0)),
    recall: all.map((c) => ratio(hits[c] ?? 0, support[c] ?? 0)),
    f1,
    confusion: [...confusion],
  };
}

function calibrationError({ samples, binCorrect, binConfidence }: Tally): number {
  let gaps = 0;
  for (let b = 0; b < CALIBRATION_BINS; b++) gaps += Math.abs((binCorrect[b] ?? 0) - (binConfidence[b] ?? 0));
  return gaps / samples;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

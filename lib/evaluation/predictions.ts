import { EvaluationError } from './errors.ts';

/** What a classifier says of n samples, one entry each. */
export interface Predictions {
  readonly classes: number;
  readonly labels: Int32Array;
  /** Class of the largest logit; of equal ones the lowest. */
  readonly predicted: Int32Array;
  /** Probability of the predicted class. */
  readonly confidence: Float64Array;
  /** Cross-entropy in nats: minus the log-probability of the true class. */
  readonly loss: Float64Array;
}

/**
 * Row-wise softmax in double precision, shifted by the row's maximum.
 *
 * @param logits Row-major [n, classes].
 */
export function softmax(logits: Float32Array, classes: number): Float64Array {
  const probabilities = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    const { sum, max } = exponentials(logits, start, classes);
    for (let i = start; i < start + classes; i++) probabilities[i] = Math.exp((logits[i] ?? 0) - max) / sum;
  }
  return probabilities;
}

/** Index of the largest value of each row; of equal ones the lowest. */
export function argmax(values: Float32Array | Float64Array, classes: number): Int32Array {
  return Int32Array.from({ length: values.length / classes }, (_, row) => {
    let best = 0;
    for (let c = 1; c < classes; c++) {
      if ((values[row * classes + c] ?? 0) > (values[row * classes + best] ?? 0)) best = c;
    }
    return best;
  });
}

/**
 * @param logits Row-major [n, classes].
 * @throws EvaluationError where the numbers of logits and labels differ, a label is no class, or a logit is not finite.
 */
export function predict(logits: Float32Array, labels: Int32Array, classes: number): Predictions {
  check(logits, labels, classes);
  const predicted = argmax(logits, classes);
  const confidence = new Float64Array(labels.length);
  const loss = new Float64Array(labels.length);
  for (const [row, label] of labels.entries()) {
    const start = row * classes;
    const { sum, max } = exponentials(logits, start, classes);
    confidence[row] = 1 / sum;
    loss[row] = Math.log(sum) + max - (logits[start + label] ?? 0);
  }
  return { classes, labels, predicted, confidence, loss };
}

function exponentials(logits: Float32Array, start: number, classes: number): { sum: number; max: number } {
  let max = -Infinity;
  for (let i = start; i < start + classes; i++) max = Math.max(max, logits[i] ?? 0);
  let sum = 0;
  for (let i = start; i < start + classes; i++) sum += Math.exp((logits[i] ?? 0) - max);
  return { sum, max };
}

function check(logits: Float32Array, labels: Int32Array, classes: number): void {
  if (labels.length === 0 || logits.length !== labels.length * classes) {
    throw new EvaluationError(
      'EVALUATION_INPUT_INVALID',
      `${logits.length} logits do not fit ${labels.length} labels of ${classes} classes`,
      { field: 'logits' },
    );
  }
  const stray = labels.findIndex((label) => label < 0 || label >= classes);
  if (stray !== -1) {
    throw new EvaluationError('EVALUATION_INPUT_INVALID', `label ${labels[stray]} of sample ${stray} is no class`, {
      field: 'labels',
    });
  }
  const broken = logits.findIndex((value) => !Number.isFinite(value));
  if (broken !== -1) {
    throw new EvaluationError('EVALUATION_INPUT_INVALID', `logit ${broken} is ${logits[broken]}`, { field: 'logits' });
  }
}

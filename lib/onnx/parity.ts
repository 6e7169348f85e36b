import { regressionOf } from '../../contracts/prepared-data.ts';
import type { RegressionTarget } from '../../contracts/prepared-data.ts';
import { argmax, softmax } from '../evaluation/index.ts';
import { OnnxError } from './errors.ts';
import { runOnnx } from './run.ts';
import type { OnnxOutput, RunOnnxOptions } from './run.ts';
import { OUTPUTS } from './signature.ts';

/**
 * Largest difference of a probability that float32 arithmetic in another order explains; of a regression in units of the
 * largest quantity that it has to hold, its mean or its standard deviation.
 */
export const PARITY_TOLERANCE = 1e-5;

export interface ParityOptions extends RunOnnxOptions {
  /** Logits of the trained model on the test split, row-major [samples, classes]; of a regression its predictions. */
  readonly logits: Float32Array;
}

export interface Parity {
  /** Largest absolute difference of a probability over all samples and classes, or of a predicted quantity. */
  readonly maxAbsDifference: number;
  readonly samples: number;
}

/**
 * Compares the exported model with the trained one on every test sample: probabilities within 1e-5 and the same class, or
 * quantities within 1e-5 of their scale.
 *
 * @throws OnnxError `EXPORT_PARITY` naming the worst sample; and as `runOnnx`
 */
export async function checkParity(o: ParityOptions): Promise<Parity> {
  const output = await runOnnx(o);
  const regression = regressionOf(o.manifest);
  return regression === undefined ? compareClasses(o, output) : compareQuantities(o, output.predictions, regression);
}

function compareQuantities(
  { logits, manifest }: ParityOptions,
  exported: Float32Array,
  target: RegressionTarget,
): Parity {
  const samples = manifest.splits.test.count;
  checkLength(exported, logits, samples, OUTPUTS.prediction);
  const { maxAbsDifference, sample } = largestDifference(logits, exported, 1);
  // Written so that NaN fails too.
  if (!(maxAbsDifference <= PARITY_TOLERANCE * Math.max(target.scale, Math.abs(target.mean)))) {
    throw new OnnxError('EXPORT_PARITY', `predictions of test sample ${sample} differ by ${maxAbsDifference}`, {
      field: OUTPUTS.prediction,
    });
  }
  return { maxAbsDifference, samples };
}

function checkLength(exported: Float32Array, trained: Float32Array, expected: number, field: string): void {
  if (trained.length === expected && exported.length === expected) return;
  throw new OnnxError(
    'EXPORT_PARITY',
    `the exported model gives ${exported.length} numbers, the trained one ${trained.length}, asked are ${expected}`,
    { field },
  );
}

function compareClasses(o: ParityOptions, { probabilities, labels }: OnnxOutput): Parity {
  const samples = o.manifest.splits.test.count;
  const classes = o.manifest.labels.length;
  checkLength(probabilities, o.logits, samples * classes, OUTPUTS.probabilities);
  const trained = softmax(o.logits, classes);
  const { maxAbsDifference, sample } = largestDifference(trained, probabilities, classes);
  // Written so that NaN fails too.
  if (!(maxAbsDifference <= PARITY_TOLERANCE)) {
    throw new OnnxError('EXPORT_PARITY', `probabilities of test sample ${sample} differ by ${maxAbsDifference}`, {
      field: OUTPUTS.probabilities,
    });
  }
  const expected = argmax(o.logits, classes);
  const other = expected.findIndex((label, i) => label !== labels[i]);
  if (other !== -1) {
    throw new OnnxError(
      'EXPORT_PARITY',
      `test sample ${other} is class ${labels[other]} by the exported model, ${expected[other]} by the trained one`,
      { field: OUTPUTS.label },
    );
  }
  return { maxAbsDifference, samples };
}

function largestDifference(
  a: Float64Array | Float32Array,
  b: Float32Array,
  classes: number,
): { maxAbsDifference: number; sample: number } {
  let maxAbsDifference = 0;
  let at = 0;
  for (const [i, value] of a.entries()) {
    const difference = Math.abs(value - (b[i] ?? Number.NaN));
    if (!(difference <= maxAbsDifference)) {
      maxAbsDifference = difference;
      at = i;
      if (Number.isNaN(difference)) break;
    }
  }
  return { maxAbsDifference, sample: Math.floor(at / classes) };
}

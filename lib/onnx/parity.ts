import { argmax, softmax } from '../evaluation/index.ts';
import { OnnxError } from './errors.ts';
import { runOnnx } from './run.ts';
import type { RunOnnxOptions } from './run.ts';
import { OUTPUTS } from './signature.ts';

/** Largest difference of a probability that float32 arithmetic in another order explains. */
export const PARITY_TOLERANCE = 1e-5;

export interface ParityOptions extends RunOnnxOptions {
  /** Logits of the trained model on the test split, row-major [samples, classes]. */
  readonly logits: Float32Array;
}

export interface Parity {
  /** Largest absolute difference of a probability over all samples and classes. */
  readonly maxAbsDifference: number;
  readonly samples: number;
}

/**
 * Compares the exported model with the trained one on every test sample: probabilities within 1e-5, same class.
 *
 * @throws OnnxError `EXPORT_PARITY` naming the worst sample; and as `runOnnx`
 */
export async function checkParity(o: ParityOptions): Promise<Parity> {
  const { probabilities, labels } = await runOnnx(o);
  const samples = o.manifest.splits.test.count;
  const classes = o.manifest.labels.length;
  if (o.logits.length !== samples * classes || probabilities.length !== o.logits.length) {
    throw new OnnxError(
      'EXPORT_PARITY',
      `the exported model gives ${probabilities.length} probabilities, the trained one ${o.logits.length} logits`,
      { field: OUTPUTS.probabilities },
    );
  }
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
  a: Float64Array,
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

import { stepShare } from '../../../contracts/adversary.ts';
import type { AdversarialTraining } from '../../../contracts/adversary.ts';
import { ascend, ballAround, randomStart, rangeOf } from '../../adversary/index.ts';
import type { ValueRange } from '../../adversary/index.ts';
import type { Feed } from '../native/session.ts';
import { RandomStream } from '../random.ts';
import type { TrainingJob } from './job.ts';

/** Samples as float32 and labels of a part of a batch. */
export interface SampleFeeds {
  readonly samples: Feed;
  readonly labels: Feed;
}

export interface TrainingAdversary {
  /** The same feeds with the samples replaced by adversarial examples for the weights of this moment. */
  attack(feeds: SampleFeeds, place: { readonly epoch: number; readonly indices: Uint32Array }): SampleFeeds;
}

/** One step from a random start goes beyond the ball and is cut back (Wong, Rice and Kolter, 2020, section 4). */
const SINGLE_STEP = 1.25;

/**
 * The attack inside an adversarial training: projected gradient ascent from one random start, whose last iterate is
 * learnt from. A start is a function of the seed, the epoch and the sample, so that neither an interruption nor the
 * layout of the replicas changes it.
 *
 * @param inputGradients the graph's fetch of that name: the gradients of the samples first
 * @throws AdversaryError ATTACK_UNSUPPORTED for samples without a range
 */
export function trainingAdversary(
  { training: { adversarial }, manifest, seed }: TrainingJob,
  inputGradients: (feeds: SampleFeeds) => Float32Array,
): TrainingAdversary | undefined {
  if (adversarial === undefined) return undefined;
  const range = rangeOf(manifest.input.dtype);
  const size = manifest.input.shape.reduce((product, length) => product * length, 1);
  return {
    attack: ({ samples, labels }, { epoch, indices }) => {
      const count = Math.ceil(adversarial.share * indices.length);
      const x = (samples.data as Float32Array).slice();
      const attacked = x.subarray(0, count * size);
      const uniform = (row: number): (() => number) => {
        const stream = new RandomStream('adversarial', seed, epoch, indices[row] as number);
        return () => stream.uniform();
      };
      const feeds = {
        samples: { shape: [count, size], data: attacked },
        labels: { shape: [count], data: labels.data.subarray(0, count) },
      };
      perturb({ x: attacked, size, range, adversarial, uniform, gradients: () => inputGradients(feeds) });
      return { samples: { ...samples, data: x }, labels };
    },
  };
}

interface Perturbation {
  /** Changed in place. */
  readonly x: Float32Array;
  readonly size: number;
  readonly range: ValueRange;
  readonly adversarial: AdversarialTraining;
  readonly uniform: (row: number) => () => number;
  /** At the present `x`. */
  readonly gradients: () => Float32Array;
}

function perturb({ x, size, range, adversarial, uniform, gradients }: Perturbation): void {
  const { epsilon, steps, stepSize } = adversarial;
  const ball = ballAround(x, epsilon, range);
  const length = ball.radius * (steps === 1 ? (stepSize ?? SINGLE_STEP) : stepShare({ steps, stepSize }));
  const rows = x.length / size;
  for (let row = 0; row < rows; row += 1) randomStart(x, ball, { row, size, uniform: uniform(row) });
  for (let step = 0; step < steps; step += 1) {
    const gradient = gradients();
    for (let row = 0; row < rows; row += 1) ascend(x, gradient, ball, { row, size, length });
  }
}

/** Of all numbers of the training's samples together. */
export interface TrainingStatistics {
  readonly mean: number;
  readonly deviation: number;
}

/** A sample varies this many times less, or more, than the training's numbers do. */
const FACTOR = 4;

/**
 * A coarse look at a sample as a whole, which noise and blank samples do not pass: its mean lies within one standard
 * deviation of the training's mean, and its own deviation is neither a quarter nor four times the training's.
 */
export class SampleStatistics {
  readonly #training: TrainingStatistics;

  constructor(training: TrainingStatistics) {
    this.#training = training;
  }

  unlike(values: Float32Array): boolean {
    const { mean, deviation } = this.#training;
    let sum = 0;
    let squares = 0;
    for (const value of values) {
      sum += value;
      squares += value * value;
    }
    const own = sum / values.length;
    const ownDeviation = Math.sqrt(Math.max(0, squares / values.length - own * own));
    if (!(Math.abs(own - mean) <= deviation)) return true;
    return !(ownDeviation >= deviation / FACTOR && ownDeviation <= deviation * FACTOR);
  }
}

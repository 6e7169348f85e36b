import type { Measurement } from '../../contracts/adversary.ts';
import { attackName } from '../../contracts/adversary.ts';
import type { Measured, ServedAgreement } from '../../contracts/attack-retest.ts';
import { trialsOf } from './batches.ts';
import type { BatchResult } from './batches.ts';
import { AdversaryError } from './errors.ts';
import { proportion } from './wilson.ts';

/** Classes that the served graph gives the examples of a batch, in their order: the samples, then each trial. */
export type ServedLabels = Int32Array;

/**
 * Adds up the batches of a measurement.
 *
 * @param served one entry a batch
 * @throws AdversaryError ATTACK_INPUT_INVALID where the batches are not those of the measurement
 */
export function summarise(
  measurement: Measurement,
  batches: readonly BatchResult[],
  served: readonly ServedLabels[],
): Measured {
  check(measurement, batches);
  const trials = trialsOf(measurement);
  const samples = sum(batches.map(({ indices }) => indices.length));
  const rate = (count: number): Measured['clean'] => proportion(count, samples);
  const attacked = trials.map(({ attack, epsilon }, trial) => ({
    attack: attackName(attack),
    epsilon,
    accuracy: rate(count(batches, ({ trials: results }, i) => [results[trial]?.predicted[i]])),
  }));
  return {
    samples,
    clean: rate(count(batches, ({ clean }, i) => [clean[i]])),
    attacks: attacked,
    worst: measurement.epsilons.map((epsilon) => ({
      epsilon,
      accuracy: rate(
        count(batches, (batch, i) => [
          batch.clean[i],
          ...batch.trials.filter((trial) => trial.epsilon <= epsilon).map(({ predicted }) => predicted[i]),
        ]),
      ),
    })),
    served: agreement(measurement, batches, served),
    gradients: sum(batches.map(({ gradients }) => gradients)),
    seconds: sum(batches.map(({ seconds }) => seconds)),
    deviceClass: [...new Set(batches.map(({ deviceClass }) => deviceClass))].join(', '),
  };
}

function agreement(
  measurement: Measurement,
  batches: readonly BatchResult[],
  served: readonly ServedLabels[],
): ServedAgreement {
  const samples = sum(batches.map(({ indices }) => indices.length));
  const at = (batch: BatchResult, row: number, i: number): number | undefined =>
    served[batches.indexOf(batch)]?.[row * batch.indices.length + i];
  let examples = 0;
  let same = 0;
  for (const [index, batch] of batches.entries()) {
    const own = [batch.clean, ...batch.trials.map(({ predicted }) => predicted)].flat();
    if (served[index]?.length !== own.length) throw invalid(`batch ${batch.batch} was not predicted as a whole`);
    examples += own.length;
    same += own.filter((label, i) => served[index]?.[i] === label).length;
  }
  return {
    examples,
    same,
    clean: proportion(
      count(batches, (batch, i) => [at(batch, 0, i)]),
      samples,
    ),
    worst: measurement.epsilons.map((epsilon) => ({
      epsilon,
      accuracy: proportion(
        count(batches, (batch, i) => [
          at(batch, 0, i),
          ...batch.trials.flatMap((trial, row) => (trial.epsilon <= epsilon ? [at(batch, row + 1, i)] : [])),
        ]),
        samples,
      ),
    })),
  };
}

/** Samples all of whose predictions are right. */
function count(
  batches: readonly BatchResult[],
  predictions: (batch: BatchResult, sample: number) => readonly (number | undefined)[],
): number {
  return sum(
    batches.map(
      (batch) =>
        batch.labels.filter((label, i) => predictions(batch, i).every((predicted) => predicted === label)).length,
    ),
  );
}

function check(measurement: Measurement, batches: readonly BatchResult[]): void {
  const expected = trialsOf(measurement).map(({ attack, epsilon }) => `${attackName(attack)} ${epsilon}`);
  if (batches.length === 0) throw invalid('there are no batches');
  for (const [position, { batch, trials, labels, clean, indices }] of batches.entries()) {
    if (batch !== position) throw invalid(`batch ${position} is missing`);
    const names = trials.map(({ attack, epsilon }) => `${attack} ${epsilon}`);
    const lengths = [labels, clean, ...trials.map(({ predicted }) => predicted)].map(({ length }) => length);
    if (names.join() !== expected.join() || lengths.some((length) => length !== indices.length)) {
      throw invalid(`batch ${batch} is of another measurement`);
    }
  }
}

function invalid(message: string): AdversaryError {
  return new AdversaryError('ATTACK_INPUT_INVALID', message, { field: 'batches' });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

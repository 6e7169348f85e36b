import { MlError } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import { lastStep, stepsPerEpoch } from './job.ts';
import type { TrainingJob } from './job.ts';
import type { Replica } from './replica.ts';

/** Numbers that a rank sends beside its gradient, loss and right predictions: whether the leader wants to stop. */
export const CONTROL_NUMBERS = 1;

export interface StepResult {
  readonly step: number;
  /** From 1. */
  readonly epoch: number;
  readonly samples: number;
  /** Mean over the batch, penalty not included. */
  readonly loss: number;
  readonly right: number;
  /** Set after the last step of an epoch. */
  readonly validation: { readonly loss: number; readonly accuracy: number } | undefined;
  /** True if no step follows in this process. */
  readonly last: boolean;
}

export interface LoopOptions {
  readonly job: TrainingJob;
  readonly replica: Replica;
  readonly rank: number;
  /** Absent for a single replica. */
  readonly exchange: Exchange | undefined;
  /** Finished steps. */
  readonly start: number;
  /** Rank 0 alone decides to end before the last step; asked once in each step. */
  readonly stop?: () => boolean;
  readonly onStep?: (result: StepResult) => Promise<void> | void;
}

/**
 * Trains from `start` to the last step, or to the step in which the leader wants to stop. All ranks run this loop with
 * the same job and return after the same step, with the same weights.
 *
 * @throws MlError TRAINING_DIVERGED when the loss is not finite; CHILD_CRASHED when another rank is gone.
 */
export async function trainingLoop(options: LoopOptions): Promise<void> {
  const { job, replica, rank, exchange, start, stop, onStep } = options;
  const perEpoch = stepsPerEpoch(job);
  const steps = lastStep(job);
  const { size } = replica.network;
  const message = new Float32Array(size + 2 + CONTROL_NUMBERS);
  const gather = (own: Float32Array): Float32Array[] => exchange?.gather(rank, own) ?? [own];
  for (let step = start + 1; step <= steps; step += 1) {
    message.set(replica.gradient(step));
    message[size + 2] = stop?.() === true ? 1 : 0;
    const messages = gather(message);
    const [loss, right] = [total(messages, size), total(messages, size + 1)];
    const stopping = (messages[0]?.[size + 2] ?? 0) === 1;
    if (!Number.isFinite(loss)) throw new MlError('TRAINING_DIVERGED', `the loss is ${loss} at step ${step}`);
    replica.update(step, messages);
    const position = ((step - 1) % perEpoch) + 1;
    const validation = position === perEpoch ? validate(gather(replica.evaluate()), job) : undefined;
    const { count } = job.manifest.splits.train;
    const samples = Math.min(job.training.batchSize, count - (position - 1) * job.training.batchSize);
    const last = stopping || step === steps;
    await onStep?.({ step, epoch: Math.ceil(step / perEpoch), samples, loss, right, validation, last });
    if (last) return;
  }
}

function validate(shares: readonly Float32Array[], { manifest }: TrainingJob): StepResult['validation'] {
  const { count } = manifest.splits.validation;
  return { loss: total(shares, 0) / count, accuracy: total(shares, 1) / count };
}

function total(vectors: readonly Float32Array[], index: number): number {
  return vectors.reduce((sum, vector) => sum + (vector[index] ?? Number.NaN), 0);
}

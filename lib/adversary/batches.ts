import { z } from 'zod';
import { attackName } from '../../contracts/adversary.ts';
import type { Attack, Measurement } from '../../contracts/adversary.ts';
import { ArtifactRef } from '../../contracts/reference.ts';

/**
 * Samples in one call of the model, always: gradients of other batch sizes differ in the last bits, so that a fixed,
 * filled-up batch is what makes a result independent of how the work was cut.
 */
export const ATTACK_BATCH = 250;

/** One attack at one ε. */
export interface Trial {
  readonly attack: Attack;
  readonly epsilon: number;
}

/** The trials of a measurement, in the order that results keep. */
export function trialsOf({ attacks, epsilons }: Pick<Measurement, 'attacks' | 'epsilons'>): Trial[] {
  return attacks.flatMap((attack) => epsilons.map((epsilon) => ({ attack, epsilon })));
}

export function trialName({ attack, epsilon }: Trial): string {
  return `${attackName(attack)} at ${epsilon}`;
}

export function batchCount(samples: number): number {
  return Math.ceil(samples / ATTACK_BATCH);
}

const classes = z.array(z.int().nonnegative());

/** The durable result of one batch of one measurement. */
export const BatchResult = z.strictObject({
  batch: z.int().nonnegative(),
  /** Indices into the test set. */
  indices: z.array(z.int().nonnegative()),
  labels: classes,
  /** Predicted classes of the samples as they are. */
  clean: classes,
  /** In the order of `trialsOf`. */
  trials: z.array(z.strictObject({ attack: z.string(), epsilon: z.number(), predicted: classes })),
  /** The samples, then the adversarial examples of each trial: float32 [1 + trials, samples, size] row-major. */
  examples: ArtifactRef,
  gradients: z.int().nonnegative(),
  seconds: z.number().nonnegative(),
  deviceClass: z.string(),
});
export type BatchResult = z.infer<typeof BatchResult>;

import { z } from 'zod';

/**
 * Largest change of one input value under the L∞ norm, as a share of the range such a value has: 0.2 of the grey values
 * 0…255 is 51.
 */
export const Epsilon = z.number().gt(0).max(1);

/** Fast gradient sign method (Goodfellow, Shlens and Szegedy, 2015): one step of ε along the sign of the gradient. */
const Fgsm = z.strictObject({ kind: z.literal('fgsm') });

/** Projected gradient descent (Madry et al., 2018) from random starts; an example is kept once it fools the model. */
const Pgd = z.strictObject({
  kind: z.literal('pgd'),
  steps: z.int().min(1).max(1000).default(20),
  restarts: z.int().min(1).max(50).default(1),
  /** As a share of ε; default: 2.5 / steps, which lets an example cross the ball and come back. */
  stepSize: z.number().gt(0).max(2).optional(),
});

/**
 * Square Attack (Andriushchenko et al., 2020): random search that asks the served graph for its scores and needs no
 * gradient. The one attack on models from elsewhere; it also tells whether gradients of a network were hidden.
 */
const Square = z.strictObject({
  kind: z.literal('square'),
  /** Most questions about one sample. */
  queries: z.int().min(1).max(20_000).default(1000),
});
export type Square = z.infer<typeof Square>;

export const Attack = z.discriminatedUnion('kind', [Fgsm, Pgd, Square]);
export type Attack = z.infer<typeof Attack>;

/** What is measured: every attack at every ε on the same samples. Everything that changes the numbers is in here. */
export const Measurement = z.strictObject({
  attacks: z
    .array(Attack)
    .min(1)
    .max(4)
    .refine((attacks) => new Set(attacks.map(({ kind }) => kind === 'square')).size <= 1, {
      message: 'square attacks the served graph and the others a network: measure them apart',
    }),
  /** Ascending, without repetition. */
  epsilons: z.array(Epsilon).min(1).max(9),
  /** Samples of the test set, drawn by the seed; at most as many as there are. */
  samples: z.int().min(1).max(100_000),
  /** Of the choice of samples and of the random starts. */
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
});
export type Measurement = z.infer<typeof Measurement>;

/**
 * Adversarial training: each step learns from examples that were attacked with the weights of that moment. One step
 * from a random start is the recipe of Wong, Rice and Kolter (2020); more are Madry et al. (2018).
 */
export const AdversarialTraining = z.strictObject({
  epsilon: Epsilon,
  steps: z.int().min(1).max(50).default(1),
  /** As a share of ε; default: 1.25 for one step, else 2.5 / steps. */
  stepSize: z.number().gt(0).max(2).optional(),
  /** Share of each batch that is attacked. */
  share: z.number().gt(0).max(1).default(1),
  /** Whether dropout layers drop. Attacked samples regularise by themselves; both together underfit. */
  dropout: z.boolean().default(false),
});
export type AdversarialTraining = z.infer<typeof AdversarialTraining>;

/** Gate of `trainRegisterDeploy`: PGD on the candidate before it is signed. */
export const RobustnessGate = z.strictObject({
  epsilon: Epsilon,
  /** Worst-case accuracy that must remain. */
  minAccuracy: z.number().min(0).max(1),
  steps: Pgd.shape.steps,
  restarts: Pgd.shape.restarts,
  samples: Measurement.shape.samples.default(1000),
  seed: Measurement.shape.seed.default(7),
});
export type RobustnessGate = z.infer<typeof RobustnessGate>;

/** Length of a step of an attack, as a share of ε. */
export function stepShare({ steps, stepSize }: { readonly steps: number; readonly stepSize?: number }): number {
  return stepSize ?? 2.5 / steps;
}

/** Whether an attack asks the served graph, and takes no gradients of a network. */
export function asksGraph({ attacks }: Pick<Measurement, 'attacks'>): boolean {
  return attacks.every(({ kind }) => kind === 'square');
}

/** `fgsm`, `square-1000` for as many queries, or `pgd-20x2` for 20 steps from each of 2 starts; an own step size follows as `@0.5`. */
export function attackName(attack: Attack): string {
  if (attack.kind === 'fgsm') return 'fgsm';
  if (attack.kind === 'square') return `square-${attack.queries}`;
  const restarts = attack.restarts === 1 ? '' : `x${attack.restarts}`;
  const stepSize = attack.stepSize === undefined ? '' : `@${attack.stepSize}`;
  return `pgd-${attack.steps}${restarts}${stepSize}`;
}

import type { Attack } from '../../contracts/adversary.ts';
import { AttackInput } from '../../contracts/attack-retest.ts';
import type { AttackRequest } from '../../contracts/attack-retest.ts';
import { TrainingConfig } from '../../contracts/model-config.ts';
import { AdversaryError } from './errors.ts';

/** Seed of a hardening, whatever the attack's own is. */
const HARDENING_SEED = 42;

/**
 * The recipe for hardening: a learning rate that rises and falls in a line (Wong, Rice and Kolter, 2020), and two steps
 * of attack from a random start, because networks learn to fool a single one. docs/adversarial-lab.md tells what it
 * costs and gives.
 */
export const HARDENING = {
  epochs: 5,
  batchSize: 100,
  optimizer: {
    type: 'adam',
    learningRate: { initial: 0.005, schedule: 'linear', warmupSteps: 1000 },
  },
  checkpointSteps: 200,
  adversarial: { steps: 2 },
} as const;

/** What a network is attacked with where nobody chose. */
const DEFAULT_ATTACKS: readonly Attack[] = [{ kind: 'fgsm' }, { kind: 'pgd', steps: 20, restarts: 1 }];

/** Trained for a little more than is asked of it, a network keeps a margin at the goal's ε. */
const MARGIN = 1.25;

/**
 * Resolves a request to the input of the workflow: the goal's ε is among those measured, and the recipe for hardening
 * attacks with a margin over it, with the request's own training over that.
 *
 * @throws AdversaryError REQUEST_INVALID with the field at fault
 */
export function resolveAttackInput(request: AttackRequest, requestedBy: string): AttackInput {
  const { model, version, attacks = DEFAULT_ATTACKS, samples, seed, goal, harden, budget, retestStepsFactor } = request;
  const epsilons = [...new Set([...request.epsilons, goal.epsilon])].sort((a, b) => a - b);
  return AttackInput.parse({
    model,
    version,
    measurement: { attacks: [...attacks], epsilons, samples, seed },
    ...(request.attacks === undefined && { defaultAttacks: true }),
    goal,
    harden: harden.enabled
      ? { training: hardening(request), seed: HARDENING_SEED, minAccuracy: harden.minAccuracy }
      : undefined,
    budget,
    retestStepsFactor,
    requestedBy,
  } satisfies Omit<AttackInput, 'tenant'>);
}

function hardening({ goal, harden }: AttackRequest): TrainingConfig {
  const epsilon = Math.min(1, Number((MARGIN * goal.epsilon).toPrecision(6)));
  const adversarial = { ...HARDENING.adversarial, epsilon };
  const parsed = TrainingConfig.safeParse({ ...HARDENING, adversarial, ...harden.training });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = ['harden', 'training', ...(issue?.path ?? [])].join('.');
  throw new AdversaryError('REQUEST_INVALID', `${field}: ${issue?.message}`, { field, cause: parsed.error });
}

import type { Measurement } from '../../contracts/adversary.ts';
import { attackName } from '../../contracts/adversary.ts';
import type { GateResult } from '../../contracts/train-register-deploy.ts';
import { worstIntervalAt } from '../attack/assault.ts';
import { fitting, measure } from '../attack/measure.ts';
import { failure } from '../shared/failures.ts';
import type { ProducedModel, Releasing } from './training.ts';

/** Attacks the candidate before it is signed. @returns undefined where the request asks for no such gate */
export async function robustnessGate(
  { input, context, run, activities }: Releasing,
  { data, exported, model }: ProducedModel,
): Promise<GateResult | undefined> {
  const { robustness } = input.gates;
  if (robustness === undefined) return undefined;
  const { epsilon, minAccuracy, steps, restarts, samples, seed } = robustness;
  const { registerAs } = input;
  if (!('layers' in model)) {
    throw failure('ATTACK_UNSUPPORTED', 'A model from elsewhere has no gradients; attack it once it is registered.');
  }
  const target = await activities.data('The candidate’s graph').candidateTarget({ registerAs, model, data, exported });
  const attack = { kind: 'pgd' as const, steps, restarts };
  const measurement: Measurement = fitting({ attacks: [attack], epsilons: [epsilon], samples, seed }, target);
  const { batches } = await activities.records('How many batches').attackBaseline({ target, measurement });
  const title = `Candidate under ${attackName(attack)}`;
  const { measured } = await measure({
    context,
    activities,
    target,
    measurement,
    batches,
    title,
    onShard: (done) => run.report.advance('gates', done, title),
  });
  const { value, low, high } = worstIntervalAt(measured, epsilon);
  return {
    name: 'robustness',
    passed: value >= minAccuracy,
    reason:
      `accuracy ${value.toFixed(4)} (95 % interval ${low.toFixed(4)} to ${high.toFixed(4)}) on ${measured.samples} test ` +
      `samples under ${attackName(attack)} at ε = ${epsilon}, at least ${minAccuracy} asked`,
  };
}

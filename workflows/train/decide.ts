import { Rejection } from '../shared/failures.ts';
import { robustnessGate } from './robustness.ts';
import type { ProducedModel, Releasing } from './training.ts';

/**
 * Gates, then a person where one is asked for.
 * @throws Rejection when either says no
 */
export async function decideWhetherToRelease(releasing: Releasing, produced: ProducedModel): Promise<void> {
  const subjectDigest = await passGates(releasing, produced);
  await askForApproval(releasing, subjectDigest);
}

/** @returns the digest of what was measured: an approval is about exactly this */
async function passGates(releasing: Releasing, produced: ProducedModel): Promise<string> {
  const { input, run, activities, result } = releasing;
  const { registerAs, gates } = input;
  const { data, evaluated, exported } = produced;
  const { subjectDigest } = await run.stage(
    'gates',
    async () => {
      const robustness = await robustnessGate(releasing, produced);
      const decision = await activities
        .model('Thresholds, and the champion on the same test set')
        .decideGates({ registerAs, gates, data, evaluated, exported, ...(robustness && { robustness }) });
      result.gates = decision.results;
      const refusals = decision.results.filter(({ passed }) => !passed);
      if (refusals.length > 0) throw new Rejection(refusals.map(({ name, reason }) => `${name}: ${reason}`));
      return decision;
    },
    ({ results }) => `${results.length} passed`,
  );
  return subjectDigest;
}

async function askForApproval({ input, run, desk }: Releasing, subjectDigest: string): Promise<void> {
  if (!input.approval.required) {
    run.report.end('approval', 'skipped', 'not asked for');
    return;
  }
  const { timeoutSeconds } = input.approval;
  await run.stage(
    'approval',
    () => desk.decide({ stage: 'approval', subjectDigest, timeoutSeconds }),
    ({ sub }) => `by ${sub}`,
  );
}

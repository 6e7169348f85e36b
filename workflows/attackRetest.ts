import { workflowInfo } from '@temporalio/workflow';
import { AttackInput } from '../contracts/attack-retest.ts';
import type { AttackResult, AttackStage } from '../contracts/attack-retest.ts';
import { attackStart } from '../contracts/workflows.ts';
import { percent, worstAt } from './attack/assault.ts';
import type { Assault } from './attack/assault.ts';
import { attackVersion } from './attack/attack.ts';
import { hardenUntilRobust } from './attack/harden.ts';
import { reportAttack } from './attack/report.ts';
import { activitiesFor } from './shared/activities.ts';
import { parseInput, Rejection } from './shared/failures.ts';
import { auditOutcome } from './shared/outcome.ts';
import { Run } from './shared/run.ts';

/** Usual share of the duration, in seconds for a small network. */
const STAGES: Readonly<Record<AttackStage, number>> = {
  resolveTarget: 4,
  baseline: 1,
  attack: 30,
  decide: 1,
  harden: 220,
  retest: 90,
  report: 6,
};

/**
 * Attacks a registered version, and when it does not hold out hardens the network by adversarial training and attacks
 * the new version again, until one reaches the goal or the budget is used up. What is served does not change: a hardened
 * version is registered without a rollout.
 *
 * Query `progress`; update `cancel`. A missed goal ends `rejected` and is no failure.
 * @throws ApplicationFailure whose type is a code of contracts/errors.ts
 */
export async function attackRetest(value: AttackInput): Promise<AttackResult> {
  const input = parseInput(AttackInput, value);
  const { workflowId, runId } = workflowInfo();
  const start = attackStart(input);
  const activities = activitiesFor(start.priority);
  const run = new Run({
    title: start.staticSummary,
    stages: STAGES,
    onFailure: { action: 'fail', windowSeconds: 1 },
  });
  const assault: Assault = {
    input,
    context: { key: workflowId, runId, requestedBy: input.requestedBy },
    run,
    activities,
    measurement: input.measurement,
    startedAt: Date.now(),
    versions: [],
    hardened: [],
    reasons: [],
    result: { model: input.model, goal: input.goal },
  };
  const { outcome, reasons } = await run.conclude(
    () => carryOut(assault),
    (conclusion) =>
      auditOutcome(activities, conclusion, {
        actor: input.requestedBy,
        action: 'workflow:attack',
        subject: subjectOf(assault),
        workflowId,
      }),
  );
  const { hardened, result } = assault;
  return { ...result, ...(hardened.length > 0 && { hardened }), outcome, reasons };
}

function subjectOf({ input: { model }, result: { attacked } }: Assault): string {
  return attacked === undefined ? model : `${model}@${attacked.version}`;
}

async function carryOut(assault: Assault): Promise<void> {
  const { input, run, result, reasons } = assault;
  await attackVersion(assault);
  const holds = await run.stage(
    'decide',
    () => decide(assault),
    ({ why }) => why,
  );
  if (holds.robust) {
    skip(assault, 'it holds out');
  } else if (assault.versions[0]?.target.network === undefined) {
    reasons.push(
      holds.why,
      'ATTACK_UNSUPPORTED: a model from elsewhere cannot be hardened, as there is no network to train',
    );
    skip(assault, 'a model from elsewhere cannot be hardened');
  } else if (input.harden === undefined) {
    reasons.push(holds.why);
    skip(assault, 'not asked for');
  } else {
    await hardenUntilRobust(assault);
  }
  await reportAttack(assault);
  if (result.robustVersion === undefined) throw new Rejection(reasons);
}

async function decide({ input: { goal }, result }: Assault): Promise<{ robust: boolean; why: string }> {
  if (result.attacked === undefined) throw new TypeError('nothing was attacked');
  const { version, measured } = result.attacked;
  const worst = worstAt(measured, goal.epsilon);
  const robust = worst >= goal.minRobustAccuracy;
  if (robust) result.robustVersion = version;
  const asked = `${percent(goal.minRobustAccuracy)} asked for`;
  return { robust, why: `version ${version} keeps ${percent(worst)} at ε = ${goal.epsilon}, ${asked}` };
}

function skip({ run }: Assault, why: string): void {
  run.report.end('harden', 'skipped', why);
  run.report.end('retest', 'skipped', why);
}

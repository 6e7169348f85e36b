import { ChildWorkflowCancellationType, executeChild, ParentClosePolicy } from '@temporalio/workflow';
import type { HardenedVersion, Measured, MeasuredVersion } from '../../contracts/attack-retest.ts';
import type { TrainingConfig } from '../../contracts/model-config.ts';
import { metricsOf, TrainInput } from '../../contracts/train-register-deploy.ts';
import type { TrainResult } from '../../contracts/train-register-deploy.ts';
import { trainingStart } from '../../contracts/workflows.ts';
import { searchAttributePairs } from '../shared/search-attributes.ts';
import { within } from '../shared/within.ts';
import { trainRegisterDeploy } from '../trainRegisterDeploy.ts';
import { percent, worstAt, worstIntervalAt } from './assault.ts';
import type { Assault } from './assault.ts';
import { describe, measureVersion, strongerMeasurement, strongestName } from './attack.ts';
import { fitting, measure } from './measure.ts';

/** What a child of this parent is named, so that nothing is trained twice for one round. */
function hardeningId({ context }: Assault, round: number): string {
  return `${context.key}-harden-${round}`;
}

/**
 * Hardens by adversarial training and attacks again, until a version holds out or the budget is used up. Each round
 * attacks with twice the steps of the one before while it trains.
 */
export async function hardenUntilRobust(assault: Assault): Promise<void> {
  const { input, startedAt, reasons, run } = assault;
  const { rounds, minutes } = input.budget;
  for (let round = 1; round <= rounds; round += 1) {
    const left = startedAt + minutes * 60_000 - Date.now();
    if (left <= 0) {
      reasons.push(`the budget of ${counted(minutes, 'minute')} is used up`);
      return;
    }
    const hardened = await within(left, () => oneRound(assault, round));
    if (hardened === 'late') {
      reasons.push(`the budget of ${counted(minutes, 'minute')} ran out in round ${round}`);
      run.report.end('retest', 'skipped', 'out of time');
      return;
    }
    if (hardened !== undefined && holdsOut(assault, hardened)) {
      assault.result.robustVersion = hardened.version;
      return;
    }
  }
  reasons.push(`the budget of ${counted(rounds, 'round')} is used up`);
}

function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** A hardened version must hold out against the stronger attack, too: weak gradients must not pass for robustness. */
function holdsOut({ input: { goal } }: Assault, { measured, stronger }: MeasuredVersion): boolean {
  const worst = Math.min(worstAt(measured, goal.epsilon), stronger?.accuracy.value ?? 1);
  return worst >= goal.minRobustAccuracy;
}

/** @returns undefined where no version came out */
async function oneRound(assault: Assault, round: number): Promise<HardenedVersion | undefined> {
  const { run, reasons } = assault;
  const trained = await run.stage(
    'harden',
    () => train(assault, round),
    ({ registered, evaluation, reasons: why }) =>
      registered === undefined
        ? `round ${round}: no version (${why.join('; ')})`
        : `round ${round}: version ${registered.version}, ${measured(evaluation)}`,
  );
  if (trained.registered === undefined) {
    reasons.push(`round ${round} gave no version: ${trained.reasons.join('; ')}`);
    run.report.end('retest', 'skipped', 'no version to attack');
    return undefined;
  }
  const { version } = trained.registered;
  return run.stage(
    'retest',
    () => retest(assault, version, round),
    ({ measured, stronger }) => {
      const harder = stronger === undefined ? '' : `, ${stronger.attack} ${percent(stronger.accuracy.value)}`;
      return `version ${version}: ${describe(measured, assault.input.goal.epsilon)}${harder}`;
    },
  );
}

function measured(evaluation: TrainResult['evaluation']): string {
  if (evaluation === undefined) return 'not evaluated';
  const [{ name, title, interval }] = metricsOf(evaluation);
  return `${title} ${name === 'accuracy' ? percent(interval.value) : interval.value.toPrecision(4)}`;
}

async function train(assault: Assault, round: number): Promise<TrainResult> {
  const { input, run } = assault;
  const request = trainingRequest(assault, round);
  const { staticSummary, staticDetails, searchAttributes, priority } = trainingStart(request);
  run.report.note('harden', 'running', `round ${round} of ${input.budget.rounds}: ${hardeningId(assault, round)}`);
  return executeChild(trainRegisterDeploy, {
    args: [request],
    workflowId: hardeningId(assault, round),
    staticSummary,
    staticDetails,
    typedSearchAttributes: searchAttributePairs(searchAttributes),
    priority,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
  });
}

/**
 * The same network under the same name, trained against attacks. Its clean accuracy costs something, so it is not
 * compared with the champion; and it changes nothing that is served.
 */
function trainingRequest({ input, versions }: Assault, round: number): TrainInput {
  const { harden, model, requestedBy, tenant } = input;
  const target = versions[0]?.target;
  if (harden === undefined || target?.network === undefined) throw new TypeError('there is nothing to harden');
  return TrainInput.parse({
    model: target.network,
    dataset: target.dataset,
    registerAs: model,
    seed: harden.seed,
    training: intensified(harden.training, round),
    gates: { minAccuracy: harden.minAccuracy, champion: 'off' },
    approval: {},
    rollout: false,
    requestedBy,
    tenant,
  });
}

function intensified({ adversarial, ...training }: TrainingConfig, round: number): TrainingConfig {
  if (adversarial === undefined) return training;
  return { ...training, adversarial: { ...adversarial, steps: Math.min(50, adversarial.steps * 2 ** (round - 1)) } };
}

/** The same attacks as before, then the strongest with more steps at the goal's ε. */
async function retest(assault: Assault, version: string, round: number): Promise<HardenedVersion> {
  const { input, run, activities, context, hardened } = assault;
  const attacked = attackedBefore(assault);
  const { model, goal, retestStepsFactor } = input;
  const target = await activities
    .data(`Signature and graph of ${model} ${version}`)
    .resolveAttackTarget({ model, version });
  const measurement = fitting(input.measurement, target);
  const { batches } = await activities
    .records('Stored result of this configuration')
    .attackBaseline({ target, measurement });
  const same = await measureVersion(assault, { target, measurement, batches, stage: 'retest' });
  const harder = strongerMeasurement(measurement, goal.epsilon, retestStepsFactor);
  const { measured } = await measure({
    context,
    activities,
    target,
    measurement: harder,
    batches,
    title: `Version ${version}, ${strongestName(harder)}`,
  });
  const entry: HardenedVersion = {
    ...same,
    stronger: {
      attack: strongestName(harder),
      epsilon: goal.epsilon,
      accuracy: worstIntervalAt(measured, goal.epsilon),
      seconds: measured.seconds,
    },
    trainingWorkflowId: hardeningId(assault, round),
    cleanChange: same.measured.clean.value - attacked.clean.value,
    worstChange: worstAt(same.measured, goal.epsilon) - worstAt(attacked, goal.epsilon),
  };
  hardened.push(entry);
  run.report.measure({
    hardenedCleanAccuracy: same.measured.clean.value,
    hardenedRobustAccuracy: entry.stronger?.accuracy.value ?? 0,
  });
  return entry;
}

function attackedBefore({ result }: Assault): Measured {
  if (result.attacked === undefined) throw new TypeError('there is nothing to compare with');
  return result.attacked.measured;
}

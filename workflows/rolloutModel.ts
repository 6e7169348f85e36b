import { workflowInfo } from '@temporalio/workflow';
import type { RunContext } from '../contracts/activities.ts';
import { ERRORS } from '../contracts/errors.ts';
import { RolloutInput } from '../contracts/registry.ts';
import type { RolloutResult, RolloutStage } from '../contracts/registry.ts';
import { rolloutStart } from '../contracts/workflows.ts';
import { activitiesFor } from './shared/activities.ts';
import type { Activities } from './shared/activities.ts';
import { parseInput, Rejection } from './shared/failures.ts';
import { auditOutcome, bestEffort } from './shared/outcome.ts';
import { Run } from './shared/run.ts';

const STAGES: Readonly<Record<RolloutStage, number>> = {
  challenger: 1,
  verifyChallenger: 4,
  champion: 1,
  verifyChampion: 4,
};

/** What the aliases point to before the rollout. */
interface Aliases {
  readonly champion?: string;
  readonly challenger?: string;
}

interface Plan extends Aliases {
  /** The version that shall be champion. */
  readonly target: string;
}

interface Rollout {
  readonly input: RolloutInput;
  readonly context: RunContext;
  readonly run: Run<RolloutStage>;
  readonly activities: Activities;
}

/**
 * Brings a version to the alias `champion`: first as `challenger`, which every API process must load and verify, then as
 * `champion`. A rollback goes straight to `champion`. The former champion stays registered, so that it can come back.
 * When a version is not served, or the run is cancelled, the aliases become what they were before.
 *
 * The workflow id is the lock: one rollout at a time per model (`rolloutWorkflowId`).
 * @throws ApplicationFailure `ROLLOUT_NOT_SERVED` when the API does not take the version
 */
export async function rolloutModel(value: RolloutInput): Promise<RolloutResult> {
  const input = parseInput(RolloutInput, value);
  const { workflowId, runId, priority } = workflowInfo();
  const start = rolloutStart(input, priority?.fairnessKey);
  const rollout: Rollout = {
    input,
    context: { key: workflowId, runId, requestedBy: input.requestedBy },
    run: new Run({ title: start.staticSummary, stages: STAGES, onFailure: { action: 'fail', windowSeconds: 1 } }),
    activities: activitiesFor(start.priority),
  };
  let before: Aliases = {};
  let plan: Plan | undefined;
  const { outcome, reasons } = await rollout.run.conclude(
    async () => {
      before = await readAliases(rollout);
      plan = { ...before, target: await chooseTarget(rollout, before) };
      await carryOut(rollout, plan);
    },
    async (conclusion) => [
      ...(await mirrorAliases(rollout)),
      ...(await auditOutcome(rollout.activities, conclusion, { ...auditSubject(rollout, plan), workflowId })),
    ],
  );
  const completed = outcome === 'completed';
  return {
    outcome,
    reasons,
    model: input.model,
    champion: completed ? plan?.target : before.champion,
    formerChampion: completed ? before.champion : undefined,
  };
}

function auditSubject({ input }: Rollout, plan?: Plan): { actor: string; action: string; subject: string } {
  return {
    actor: input.requestedBy,
    action: input.kind === 'promote' ? 'model:rollout' : 'model:rollback',
    subject: plan === undefined ? input.model : `${input.model}@${plan.target}`,
  };
}

async function readAliases({ input: { model }, activities }: Rollout): Promise<Aliases> {
  const records = activities.records('What is live?');
  const champion = await records.currentAlias({ model, alias: 'champion' });
  const challenger = await records.currentAlias({ model, alias: 'challenger' });
  return { champion: champion?.version, challenger: challenger?.version };
}

/** @throws Rejection when there is nothing to do, or nothing to go back to */
async function chooseTarget({ input, activities }: Rollout, { champion }: Aliases): Promise<string> {
  const target = input.kind === 'promote' ? input.version : (input.toVersion ?? (await formerChampion()));
  if (target === undefined) throw new Rejection([ERRORS.ROLLBACK_IMPOSSIBLE.hint]);
  if (target === champion) throw new Rejection([`Version ${target} is the champion already.`]);
  return target;

  async function formerChampion(): Promise<string | undefined> {
    return (await activities.records('Who was champion before?').previousChampion({ model: input.model }))?.version;
  }
}

async function carryOut(rollout: Rollout, plan: Plan): Promise<void> {
  const { run, input } = rollout;
  if (input.kind === 'promote') {
    await introduce(rollout, plan);
  } else {
    run.report.end('challenger', 'skipped', 'it was champion before');
    run.report.end('verifyChallenger', 'skipped', 'it was champion before');
  }
  await promote(rollout, plan);
}

/** The challenger is loaded and verified everywhere before it takes a single request as champion. */
async function introduce(rollout: Rollout, { challenger, target }: Plan): Promise<void> {
  const { run } = rollout;
  run.compensations.add('alias challenger', (reason) => setAlias(rollout, 'challenger', challenger, reason));
  await run.stage('challenger', () => setAlias(rollout, 'challenger', target, 'rollout'));
  await run.stage('verifyChallenger', () => awaitServing(rollout, 'challenger', target), replicas);
}

async function promote(rollout: Rollout, plan: Plan): Promise<void> {
  const { input, run, activities } = rollout;
  const reason = input.kind === 'promote' ? 'rollout' : `rollback: ${input.reason}`;
  run.compensations.add('alias champion', (why) => setAlias(rollout, 'champion', plan.champion, why));
  await run.stage('champion', async () => {
    const subject = auditSubject(rollout, plan);
    await activities.records('Audit: the champion changes').audit({
      ...subject,
      decision: 'started',
      detail: { workflowId: rollout.context.key, formerChampion: plan.champion ?? '', reason },
    });
    await setAlias(rollout, 'champion', plan.target, reason);
  });
  await run.stage('verifyChampion', () => awaitServing(rollout, 'champion', plan.target), replicas);
  if (input.kind === 'promote') await setAlias(rollout, 'challenger', undefined, 'promoted');
}

function setAlias(
  { activities, context, input }: Rollout,
  alias: string,
  version: string | undefined,
  reason: string,
): Promise<void> {
  const summary = version === undefined ? `Take the ${alias} away` : `Version ${version} becomes ${alias}`;
  return activities.records(summary).setAlias({ run: context, model: input.model, alias, version, reason });
}

/** MLflow may have been away when the aliases changed; what is served never waits for it. */
function mirrorAliases({ activities, input }: Rollout): Promise<string[]> {
  return bestEffort('aliases in MLflow', () =>
    activities.mirror('MLflow shows the same aliases').mirrorAliases({ model: input.model }),
  );
}

function awaitServing({ activities, input }: Rollout, alias: string, version: string): Promise<{ replicas: number }> {
  const summary = `Version ${version} is served as ${alias}?`;
  return activities.serving(summary).awaitServing({ model: input.model, alias, version });
}

function replicas(answer: { replicas: number }): string {
  return `${answer.replicas} API ${answer.replicas === 1 ? 'process' : 'processes'}`;
}

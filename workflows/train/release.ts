import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { patched, sleep } from '@temporalio/workflow';
import type { RegisteredVersion, SignedModel } from '../../contracts/activities.ts';
import type { RolloutInput, RolloutResult } from '../../contracts/registry.ts';
import type { NewLineage } from '../../contracts/step-cache.ts';
import { executeRollout } from '../shared/child-rollout.ts';
import { failure, Rejection } from '../shared/failures.ts';
import type { ProducedModel, Releasing } from './training.ts';

const BETWEEN_TRIES_SECONDS = 10;
const MOST_TRIES = 180;

/** Signature, registration, rollout. From `registerVersion` on a failure is compensated. */
export async function releaseModel(releasing: Releasing, produced: ProducedModel): Promise<void> {
  const signed = await sign(releasing, produced);
  const registered = await register(releasing, produced, signed);
  if (releasing.result.unchanged === true) {
    releasing.run.report.end('rollout', 'skipped', `version ${registered.version} is champion already`);
    return;
  }
  await rollOut(releasing, registered.version);
}

function sign({ input, context, run, activities }: Releasing, produced: ProducedModel): Promise<SignedModel> {
  const { registerAs } = input;
  const { data, card, evaluated, exported, model } = produced;
  return run.stage(
    'signModel',
    () =>
      activities
        .release('OpenSSF Model Signing, key in OpenBao')
        .signModel({ run: context, registerAs, data, card, evaluated, exported, model }),
    ({ digest }) => `digest ${digest.slice(0, 12)}`,
  );
}

async function register(
  releasing: Releasing,
  produced: ProducedModel,
  signed: SignedModel,
): Promise<RegisteredVersion> {
  const { input, context, run, activities, result } = releasing;
  const { mlflow, evaluated } = produced;
  const { registerAs } = input;
  run.compensations.add(`registration in ${registerAs}`, (reason) => withdraw(releasing, reason));
  return run.stage(
    'registerVersion',
    async () => {
      const champion = await unchangedChampion(releasing, produced, signed);
      if (champion !== undefined) return champion;
      const lineage = lineageOf(releasing, produced, 'registered');
      const registered = await activities
        .records(`Next version of ${registerAs}`)
        .registerVersion({ run: context, registerAs, mlflow, signed, evaluated, lineage });
      const { model, version, digest, signature } = registered;
      result.registered = { model, version, digest, signature };
      await activities.records(`Version ${version} in MLflow`).mirrorVersion({ run: context, mlflow, registered });
      return registered;
    },
    ({ model, version }) => {
      const name = `${model} version ${version}`;
      if (result.unchanged !== true) return name;
      return { status: 'reused', detail: `${name} has the same digest and is champion: nothing to register` };
    },
  );
}

/** A version that is served already, down to the last byte, is not registered again under another number. */
async function unchangedChampion(
  releasing: Releasing,
  produced: ProducedModel,
  { digest }: SignedModel,
): Promise<RegisteredVersion | undefined> {
  const { input, activities, result } = releasing;
  const { registerAs } = input;
  if (!patched('unchanged-champion') || result.registered !== undefined) return undefined;
  const champion = await activities
    .records(`Is ${digest.slice(0, 12)} the champion?`)
    .unchangedChampion({ registerAs, digest, lineage: lineageOf(releasing, produced, 'unchanged') });
  if (champion === undefined) return undefined;
  const { model, version, signature } = champion;
  result.registered = { model, version, digest, signature };
  result.alias = 'champion';
  result.unchanged = true;
  return champion;
}

function lineageOf(
  { context }: Releasing,
  { data, exported, mlflow, origin }: ProducedModel,
  outcome: NewLineage['outcome'],
): NewLineage {
  return {
    ...origin,
    workflowId: context.key,
    runId: context.runId,
    mlflowRunId: mlflow.runId,
    outcome,
    cardSha256: data.cardSha256,
    dataSha256: data.dataSha256,
    preparedSha256: data.manifest.sha256,
    onnxSha256: exported.onnx.sha256,
  };
}

async function withdraw({ input, context, activities, result }: Releasing, reason: string): Promise<void> {
  // A champion of before is not this run's to withdraw.
  if (result.unchanged === true) return;
  if (result.registered !== undefined) {
    const { model, version } = result.registered;
    return activities.records(`Withdraw version ${version}`).withdrawVersion({ model, version, reason });
  }
  // The attempt may have died after it registered the version and before it could say so.
  if (!patched('withdraw-lost-registration')) return;
  const { registerAs: model } = input;
  await activities
    .records(`Withdraw what was registered in ${model}`)
    .withdrawRegistration({ run: context, model, reason });
}

async function rollOut({ input, run, result }: Releasing, version: string): Promise<void> {
  if (!input.rollout) {
    run.report.end('rollout', 'skipped', 'not asked for');
    return;
  }
  await run.stage(
    'rollout',
    async () => {
      const rollout = await whenFree(input, version, () =>
        run.report.note('rollout', 'waiting', `another rollout of ${input.registerAs} runs`),
      );
      if (rollout.outcome !== 'completed') throw new Rejection(rollout.reasons);
      return rollout;
    },
    ({ champion, formerChampion }) =>
      `version ${champion} is champion${formerChampion === undefined ? '' : ` after version ${formerChampion}`}`,
  );
  result.alias = 'champion';
}

/** The child's id is the lock of the model; whoever holds it is waited for. */
async function whenFree(input: Releasing['input'], version: string, onBusy: () => void): Promise<RolloutResult> {
  const { registerAs: model, requestedBy, tenant } = input;
  const request: RolloutInput = { kind: 'promote', model, version, requestedBy };
  for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
    try {
      return await executeRollout(request, tenant);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      onBusy();
      await sleep(BETWEEN_TRIES_SECONDS * 1000);
    }
  }
  throw failure('ROLLOUT_IN_PROGRESS', `Other rollouts of ${model} ran for too long.`);
}

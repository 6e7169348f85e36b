import { workflowInfo } from '@temporalio/workflow';
import { TrainInput } from '../contracts/train-register-deploy.ts';
import type { TrainResult, TrainStage } from '../contracts/train-register-deploy.ts';
import { trainingStart } from '../contracts/workflows.ts';
import { activitiesFor } from './shared/activities.ts';
import { ApprovalDesk } from './shared/approval.ts';
import { parseInput } from './shared/failures.ts';
import { Run } from './shared/run.ts';
import { closeTraining } from './train/close.ts';
import { decideWhetherToRelease } from './train/decide.ts';
import { produceModel } from './train/produce.ts';
import { releaseModel } from './train/release.ts';
import { Steps } from './train/steps.ts';
import type { Training } from './train/training.ts';

/** Usual share of the duration, in seconds for a small network. */
const STAGES: Readonly<Record<TrainStage, number>> = {
  verifyDataCard: 1,
  prepareData: 3,
  train: 60,
  evaluate: 8,
  exportOnnx: 6,
  logRun: 4,
  gates: 2,
  approval: 1,
  signModel: 1,
  registerVersion: 1,
  rollout: 4,
};

/**
 * Trains a network, proves what it is worth, and puts it behind the API: one durable run from the data card to the
 * champion alias.
 *
 * Query `progress`; updates `approve`, `cancel`, `retryStage` (contracts/approval.ts). A refusal by gates, a person or
 * time ends `rejected` and is no failure. Stages that an earlier run has done already are taken from there; a run that
 * made exactly the champion ends `completed` without a new version. A failure or cancellation after registration withdraws the version and
 * restores the aliases.
 * @throws ApplicationFailure whose type is a code of contracts/errors.ts
 */
export async function trainRegisterDeploy(value: TrainInput): Promise<TrainResult> {
  const input = parseInput(TrainInput, value);
  const { workflowId, runId } = workflowInfo();
  const start = trainingStart(input);
  const activities = activitiesFor(start.priority);
  const run = new Run({ title: start.staticSummary, stages: STAGES, onFailure: input.onFailure });
  const context = { key: workflowId, runId, requestedBy: input.requestedBy };
  const desk = new ApprovalDesk({ run: context, report: run.report, activities });
  const steps = new Steps({ input, context, run, activities });
  const training: Training = { input, context, run, activities, desk, steps, result: {} };

  const { outcome, reasons } = await run.conclude(
    async () => {
      const produced = await produceModel(training);
      await decideWhetherToRelease(training, produced);
      await releaseModel(training, produced);
    },
    (conclusion) => closeTraining(training, conclusion, { action: 'workflow:train', dataset: input.dataset }),
  );
  return { ...training.result, outcome, reasons };
}

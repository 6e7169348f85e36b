import { workflowInfo } from '@temporalio/workflow';
import type { TrainedModel } from '../contracts/activities.ts';
import { TrialInput } from '../contracts/trial.ts';
import type { TrialResult, TrialStage } from '../contracts/trial.ts';
import { trialStart } from '../contracts/workflows.ts';
import { describeWorth, measureMetrics } from './search/search.ts';
import { activitiesFor } from './shared/activities.ts';
import { failure, parseInput } from './shared/failures.ts';
import { Run } from './shared/run.ts';

const STAGES: Readonly<Record<TrialStage, number>> = { train: 1 };

/**
 * Trains one configuration of a search up to an epoch, from where it was left, and tells what it is worth on the
 * validation split. A child of `searchHyperparameters`; it registers nothing.
 *
 * Query `progress`; update `cancel`.
 * @throws ApplicationFailure whose type is a code of contracts/errors.ts, e.g. `TRAINING_DIVERGED`
 */
export async function runTrial(value: TrialInput): Promise<TrialResult> {
  const input = parseInput(TrialInput, value);
  const start = trialStart(input);
  const run = new Run({ title: start.staticSummary, stages: STAGES, onFailure: { action: 'fail', windowSeconds: 1 } });
  const { trial, rung } = input;
  let result: Omit<TrialResult, 'outcome' | 'reasons'> = { trial };
  const { outcome, reasons } = await run.conclude(
    async () => {
      const { history, seconds, validation } = await run.stage('train', () => train(input, run), describe);
      if (validation === undefined)
        throw failure('TRAINING_DIVERGED', 'The loss on the validation split is not finite.');
      result = { trial, measure: { rung, ...validation }, history, seconds };
      run.report.measure(measureMetrics('validation', validation));
    },
    // The search audits itself, with all of its trials.
    async () => [],
  );
  return { ...result, outcome, reasons };
}

/** Segments, as in `trainRegisterDeploy`: between two of them the queue may give the device to somebody else. */
async function train(input: TrialInput, run: Run<TrialStage>): Promise<TrainedModel> {
  const { key, model, training, seed, data, stopAfterEpoch, requestedBy } = input;
  const { priority, staticSummary } = trialStart(input);
  const context = { key, runId: workflowInfo().runId, requestedBy };
  const activities = activitiesFor(priority);
  for (let done = 0; ;) {
    const summary = done === 0 ? staticSummary : `${staticSummary}, from step ${done}`;
    const args = { run: context, model, training, seed, data, stopAfterEpoch };
    const segment = await activities.gpu(summary).trainModel(args);
    if (!('continue' in segment)) return segment;
    if (segment.step <= done) throw failure('INTERNAL', `A segment of the training ended where it began: ${done}.`);
    done = segment.step;
    run.report.note('train', 'running', `step ${done} of ${segment.steps}`);
  }
}

function describe({ steps, seconds, validation }: TrainedModel): string {
  const worth = validation === undefined ? 'not finite' : `${describeWorth(validation)} on the validation split`;
  return `${steps} steps in ${seconds.toFixed(1)} s: ${worth}`;
}

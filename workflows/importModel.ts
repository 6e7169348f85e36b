import { workflowInfo } from '@temporalio/workflow';
import { ImportInput } from '../contracts/import-model.ts';
import type { ImportResult, ImportStage } from '../contracts/import-model.ts';
import { importStart } from '../contracts/workflows.ts';
import { produceImport } from './import/produce.ts';
import type { Importing } from './import/importing.ts';
import { activitiesFor } from './shared/activities.ts';
import { ApprovalDesk } from './shared/approval.ts';
import { parseInput } from './shared/failures.ts';
import { Run } from './shared/run.ts';
import { closeTraining } from './train/close.ts';
import { decideWhetherToRelease } from './train/decide.ts';
import { releaseModel } from './train/release.ts';

/** Usual share of the duration, in seconds for a forest on small data. */
const STAGES: Readonly<Record<ImportStage, number>> = {
  scan: 2,
  verifyDataCard: 1,
  prepareData: 3,
  adapt: 8,
  evaluate: 4,
  logRun: 4,
  gates: 2,
  approval: 1,
  signModel: 1,
  registerVersion: 1,
  rollout: 4,
};

/**
 * Takes a model from elsewhere: judges its file by its structure, wraps it in the platform's interface, measures it on
 * the platform's own test set, and from there treats it as every other candidate.
 *
 * Query `progress`; updates `approve`, `cancel`, `retryStage` (contracts/approval.ts). A refusal by gates, a person or
 * time ends `rejected`; a file that is refused fails with the code of what is wrong with it.
 * @throws ApplicationFailure whose type is a code of contracts/errors.ts
 */
export async function importModel(value: ImportInput): Promise<ImportResult> {
  const input = parseInput(ImportInput, value);
  const { workflowId, runId } = workflowInfo();
  const start = importStart(input);
  const activities = activitiesFor(start.priority);
  const run = new Run({ title: start.staticSummary, stages: STAGES, onFailure: input.onFailure });
  const context = { key: workflowId, runId, requestedBy: input.requestedBy };
  const desk = new ApprovalDesk({ run: context, report: run.report, activities });
  const importing: Importing = { input, context, run, activities, desk, result: {} };

  const { outcome, reasons } = await run.conclude(
    async () => {
      const produced = await produceImport(importing);
      await decideWhetherToRelease(importing, produced);
      await releaseModel(importing, produced);
    },
    (conclusion) => closeTraining(importing, conclusion, { action: 'workflow:import', dataset: input.card.dataset }),
  );
  return { ...importing.result, outcome, reasons };
}

import { workflowInfo } from '@temporalio/workflow';
import type { AttackTarget, ExtractionShard, RunContext } from '../contracts/activities.ts';
import { ExtractionInput } from '../contracts/extraction.ts';
import type { ExtractionBudget, ExtractionResult, ExtractionStage } from '../contracts/extraction.ts';
import { extractionStart } from '../contracts/workflows.ts';
import { activitiesFor } from './shared/activities.ts';
import type { Activities } from './shared/activities.ts';
import { parseInput } from './shared/failures.ts';
import { auditOutcome } from './shared/outcome.ts';
import { Run } from './shared/run.ts';

/** Usual share of the duration, in seconds for a small network. */
const STAGES: Readonly<Record<ExtractionStage, number>> = { resolveTarget: 4, extract: 90, measure: 3, report: 6 };

interface Theft {
  readonly input: ExtractionInput;
  readonly context: RunContext;
  readonly run: Run<ExtractionStage>;
  readonly activities: Activities;
  readonly result: Omit<ExtractionResult, 'outcome' | 'reasons'>;
}

/**
 * Measures how many queries a copy of a registered version takes: substitutes are trained on growing numbers of answers
 * and compared with the version on samples that were kept from them. The curve is kept, and budgets are taken from it.
 *
 * Query `progress`; update `cancel`.
 * @throws ApplicationFailure whose type is a code of contracts/errors.ts
 */
export async function measureExtraction(value: ExtractionInput): Promise<ExtractionResult> {
  const input = parseInput(ExtractionInput, value);
  const { model, threshold, requestedBy } = input;
  const { workflowId, runId } = workflowInfo();
  const start = extractionStart(input);
  const activities = activitiesFor(start.priority);
  const run = new Run({
    title: start.staticSummary,
    stages: STAGES,
    onFailure: { action: 'fail', windowSeconds: 1 },
  });
  const context = { key: workflowId, runId, requestedBy };
  const theft: Theft = { input, context, run, activities, result: { model, threshold } };
  const { outcome, reasons } = await run.conclude(
    () => carryOut(theft),
    (conclusion) =>
      auditOutcome(activities, conclusion, {
        actor: requestedBy,
        action: 'workflow:extraction',
        subject: theft.result.version === undefined ? model : `${model}@${theft.result.version}`,
        workflowId,
      }),
  );
  return { ...theft.result, outcome, reasons };
}

async function carryOut(theft: Theft): Promise<void> {
  const { input, context, run, activities, result } = theft;
  const { model, version, extraction, threshold } = input;
  const target = await run.stage(
    'resolveTarget',
    () =>
      activities
        .data(`Signature and graph of ${model} ${version ?? '(champion)'}`)
        .resolveAttackTarget({ model, ...(version !== undefined && { version }) }),
    ({ version: resolved, digest }) => `version ${resolved}, ${digest.slice(0, 12)}`,
  );
  Object.assign(result, { version: target.version, digest: target.digest });
  const shards = await run.stage('extract', () => extract(theft, target));
  const { configSha256, curve, budgets } = await run.stage(
    'measure',
    () =>
      activities
        .model('Substitutes against the served graph')
        .summariseExtraction({ target, extraction, threshold, shards }),
    (measured) => measured.budgets.map(describe).join('; '),
  );
  Object.assign(result, { curve, budgets });
  const { report, mlflow } = await run.stage(
    'report',
    async () => {
      const written = await activities
        .data('JSON, Markdown and plot, to MLflow')
        .reportExtraction({ run: context, target, configSha256, extraction, curve, budgets });
      await activities.records(`Keep the curve of version ${target.version}`).recordExtraction({
        run: context,
        target,
        configSha256,
        extraction,
        curve,
        mlflowRunId: written.mlflow.runId,
      });
      return written;
    },
    (written) => `run ${written.mlflow.runId}`,
  );
  Object.assign(result, { report, mlflow: { experimentId: mlflow.experimentId, runId: mlflow.runId } });
  run.report.link('MLflow run', mlflow.url);
}

/** One shard a kind of answer, beside each other where there are devices. */
function extract(
  { input: { extraction }, context, run, activities }: Theft,
  target: AttackTarget,
): Promise<ExtractionShard[]> {
  const { answers: kinds } = extraction;
  let done = 0;
  return Promise.all(
    kinds.map(async (answers, shard) => {
      const result = await activities
        .gpu(`Substitutes from ${answers}`)
        .extractShard({ run: context, target, extraction, answers, shard, shards: kinds.length });
      done += 1;
      run.report.advance('extract', done / kinds.length, `${done} of ${kinds.length} kinds of answers`);
      return result;
    }),
  );
}

function describe({ answers, threshold, budgetRows, reached }: ExtractionBudget): string {
  if (budgetRows === undefined) return `${answers}: every measured number of queries gives a copy`;
  return `${answers}: no copy (fidelity ${threshold}) from ${budgetRows} queries${reached ? '' : ', the most that were measured'}`;
}

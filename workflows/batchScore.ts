import { sleep, workflowInfo } from '@temporalio/workflow';
import { ScoreInput } from '../contracts/batch-score.ts';
import type { PinnedModel, ScoredShard, ScoreCounts, ScoreResult, ScoreStage } from '../contracts/batch-score.ts';
import type { PlannedScore } from '../contracts/score-activities.ts';
import { scoreStart } from '../contracts/workflows.ts';
import { activitiesFor } from './shared/activities.ts';
import type { Activities } from './shared/activities.ts';
import { parseInput, Rejection } from './shared/failures.ts';
import { auditOutcome } from './shared/outcome.ts';
import { Run } from './shared/run.ts';

/** Usual share of the duration, in seconds for a million records. */
const STAGES: Readonly<Record<ScoreStage, number>> = { pin: 1, plan: 2, score: 40, join: 2 };

interface Scoring {
  readonly input: ScoreInput;
  readonly run: Run<ScoreStage>;
  readonly activities: Activities;
  readonly context: { readonly key: string; readonly runId: string; readonly requestedBy: string };
}

/**
 * Scores a file with the version that an alias means at the start, in shards of whole records, one after the other, and
 * joins what they came to. Records that the model cannot be asked about are refused with line and reason; a file without
 * any other ends `rejected`. Where the rows of the day are used up the run waits for the next one.
 *
 * Query `progress`; updates `cancel`, and `retryStage` never.
 * @throws ApplicationFailure whose type is a code of contracts/errors.ts
 */
export async function batchScore(value: ScoreInput): Promise<ScoreResult> {
  const input = parseInput(ScoreInput, value);
  const { workflowId, runId } = workflowInfo();
  const start = scoreStart(input);
  const activities = activitiesFor(start.priority);
  const run = new Run({ title: start.staticSummary, stages: STAGES, onFailure: { action: 'fail', windowSeconds: 1 } });
  const context = { key: workflowId, runId, requestedBy: input.requestedBy };
  const asked = `${input.model}@${input.alias}`;
  let found: Pick<ScoreResult, 'scoredBy' | 'shards' | 'predictions' | 'refused' | 'counts'> = {};
  const { outcome, reasons } = await run.conclude(
    () =>
      carryOut({ input, run, activities, context }, (more) => {
        found = { ...found, ...more };
      }),
    (conclusion) =>
      auditOutcome(activities, conclusion, {
        actor: input.requestedBy,
        action: 'workflow:score',
        subject: found.scoredBy === undefined ? asked : `${input.model}@${found.scoredBy.version}`,
        workflowId,
      }),
  );
  return { ...found, asked, input: input.file, outcome, reasons };
}

async function carryOut(scoring: Scoring, note: (found: Partial<ScoreResult>) => void): Promise<void> {
  const { input, run, activities, context } = scoring;
  const pinned = await run.stage(
    'pin',
    () => activities.data(`What ${input.model}@${input.alias} means, verified`).pinModel({ input }),
    ({ version, digest }) => `version ${version}, ${digest.slice(0, 12)}`,
  );
  note({ scoredBy: pinned });
  const planned = await run.stage(
    'plan',
    () => activities.model(`Records of ${input.file.bytes} bytes of ${input.format}`).planScore({ input, pinned }),
    ({ records, shards }) => `${records} records in ${shards} shards`,
  );
  note({ shards: planned.shards });
  const counts = await run.stage('score', () => scoreShards(scoring, pinned, planned), describe);
  run.report.measure({ scored: counts.scored, refused: counts.refused, outOfRange: counts.outOfRange });
  const joined = await run.stage(
    'join',
    () => activities.model(`${planned.shards} shards into one file`).joinScores({ run: context, plan: planned.plan }),
    ({ predictions }) => `${predictions.bytes} bytes, ${predictions.sha256.slice(0, 12)}`,
  );
  note(joined);
  if (joined.counts.scored === 0) throw new Rejection([`None of ${joined.counts.records} records could be scored.`]);
}

async function scoreShards(
  { input, run, activities, context }: Scoring,
  pinned: PinnedModel,
  { plan, records, shards }: PlannedScore,
): Promise<ScoreCounts> {
  let counts: ScoreCounts = { records: 0, scored: 0, refused: 0, outOfRange: 0 };
  for (let shard = 0; shard < shards;) {
    run.report.advance(
      'score',
      shard / shards,
      `${counts.records} of ${records} records, ${shard} of ${shards} shards`,
    );
    const summary = `Shard ${shard + 1} of ${shards}`;
    const answer = await activities.model(summary).scoreShard({ run: context, input, pinned, plan, shard });
    if ('waitSeconds' in answer) {
      run.report.note('score', 'waiting', `the rows of the day are used up; goes on within ${answer.waitSeconds} s`);
      await sleep(answer.waitSeconds * 1000);
      continue;
    }
    counts = added(counts, answer);
    shard += 1;
  }
  return counts;
}

function added(counts: ScoreCounts, { counts: more }: ScoredShard): ScoreCounts {
  return {
    records: counts.records + more.records,
    scored: counts.scored + more.scored,
    refused: counts.refused + more.refused,
    outOfRange: counts.outOfRange + more.outOfRange,
  };
}

function describe({ scored, refused, outOfRange }: ScoreCounts): string {
  const unlike = outOfRange === 0 ? '' : `, ${outOfRange} unlike those of the training`;
  return `${scored} scored, ${refused} refused${unlike}`;
}

import type { z } from 'zod';
import type { WorkflowDetail } from '../../contracts/api.ts';
import { AttackResult } from '../../contracts/attack-retest.ts';
import { ExtractionResult } from '../../contracts/extraction.ts';
import { ScoreResult } from '../../contracts/batch-score.ts';
import { ImportResult } from '../../contracts/import-model.ts';
import { TrainResult } from '../../contracts/train-register-deploy.ts';
import { metricsOf } from '../../contracts/train-register-deploy.ts';
import type { EvaluationSummary, GateResult } from '../../contracts/train-register-deploy.ts';
import { RolloutResult } from '../../contracts/registry.ts';
import { SearchResult } from '../../contracts/search.ts';
import { ReleaseResult } from '../../contracts/sign-and-release.ts';
import { AgentTaskResult } from '../../contracts/agent-task.ts';
import type { Connection } from '../client/index.ts';
import { EXIT } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { colorsOf } from '../render/colors.ts';
import { renderPairs, renderTable } from '../render/table.ts';
import { formatDuration } from '../render/time.ts';
import { renderAttack } from './attack-summary.ts';
import { renderAgentResult } from './agent-summary.ts';
import { renderExtractionResult } from './extraction-summary.ts';
import { renderScore } from './score-summary.ts';
import { renderSearchResult } from './search-summary.ts';
import { exitCodeOfOutcome, outcomeOf } from './outcome.ts';

/** What a closed workflow came to: outcome, reasons, metrics with intervals, gates, version and links. */
export function renderSummary(detail: WorkflowDetail, connection: Pick<Connection, 'stack'>, io: Io): string {
  const trained = resultOf(detail, 'trainRegisterDeploy', TrainResult);
  const imported = resultOf(detail, 'importModel', ImportResult);
  const rollout = resultOf(detail, 'rolloutModel', RolloutResult);
  const release = resultOf(detail, 'signAndRelease', ReleaseResult);
  const attack = resultOf(detail, 'attackRetest', AttackResult);
  const theft = resultOf(detail, 'measureExtraction', ExtractionResult);
  const search = resultOf(detail, 'searchHyperparameters', SearchResult);
  const agent = resultOf(detail, 'agentTask', AgentTaskResult);
  const score = resultOf(detail, 'batchScore', ScoreResult);
  const training = trained ?? imported;
  return [
    headline(detail, io),
    failureLines(detail),
    training?.evaluation === undefined ? '' : metricsTable(training.evaluation, io),
    training?.gates === undefined ? '' : gatesTable(training.gates, io),
    training === undefined ? '' : renderPairs(versionPairs(training)),
    rollout === undefined ? '' : renderPairs(rolloutPairs(rollout)),
    release === undefined ? '' : renderPairs(releasePairs(release)),
    attack === undefined ? '' : renderAttack(attack, io),
    theft === undefined ? '' : renderExtractionResult(theft, io),
    search === undefined ? '' : renderSearchResult(search, io),
    agent === undefined ? '' : renderAgentResult(agent, io),
    score === undefined ? '' : renderScore(score, detail.workflowId),
    renderPairs(linkPairs(detail, training?.mlflow ?? attack?.mlflow ?? theft?.mlflow ?? search?.mlflow, connection)),
  ]
    .filter((section) => section !== '')
    .join('\n\n');
}

function resultOf<S extends z.ZodType>(
  { type, result }: WorkflowDetail,
  wanted: WorkflowDetail['type'],
  schema: S,
): z.infer<S> | undefined {
  return type === wanted ? schema.safeParse(result).data : undefined;
}

function headline(detail: WorkflowDetail, io: Io): string {
  const colors = colorsOf(io);
  const outcome = outcomeOf(detail);
  const code = exitCodeOfOutcome(detail);
  const mark = code === EXIT.ok ? colors.green('✓') : code === EXIT.rejected ? colors.yellow('✗') : colors.red('✗');
  const { startedAt, closedAt } = detail;
  const took = closedAt === undefined ? '' : ` in ${formatDuration(Date.parse(closedAt) - Date.parse(startedAt))}`;
  const reasons = detail.result?.reasons ?? [];
  return [`${mark} ${colors.bold(outcome)}${took}`, ...reasons.map((reason) => `  ${reason}`)].join('\n');
}

function failureLines({ failure }: WorkflowDetail): string {
  if (failure === undefined) return '';
  const code = failure.code === undefined ? '' : ` (${failure.code})`;
  const hint = failure.hint === undefined ? '' : `\n  hint: ${failure.hint}`;
  return `  ${failure.message}${code}${hint}`;
}

function metricsTable(evaluation: EvaluationSummary, io: Io): string {
  const rows = metricsOf(evaluation).map(({ title, interval: { value, low, high } }) => [
    title,
    value.toFixed(4),
    `${low.toFixed(4)} – ${high.toFixed(4)}`,
  ]);
  return renderTable([`metric (${String(evaluation.samples)} test samples)`, 'value', '95 % interval'], rows, io);
}

function gatesTable(gates: readonly GateResult[], io: Io): string {
  const colors = colorsOf(io);
  const rows = gates.map(({ name, passed, reason }) => [
    name,
    passed ? colors.green('passed') : colors.red('refused'),
    reason,
  ]);
  return renderTable(['gate', 'result', 'reason'], rows, io);
}

type Pairs = (readonly [string, string | undefined])[];

function versionPairs({ registered, alias, weightsSha256, unchanged, reused }: TrainResult): Pairs {
  const stages = Object.entries(reused ?? {}).map(([stage, from]) => `${stage} from ${from.workflowId}`);
  return [
    ['version', registered && `${registered.model} ${registered.version}${unchanged === true ? ', unchanged' : ''}`],
    ['digest', registered?.digest],
    ['alias', alias],
    ['weights', weightsSha256],
    ['reused', stages.length === 0 ? undefined : stages.join(', ')],
  ];
}

function rolloutPairs({ model, champion, formerChampion }: RolloutResult): Pairs {
  return [
    ['model', model],
    ['champion', champion],
    ['former champion', formerChampion],
  ];
}

function releasePairs({ model, version, code, decision, approvedBy, release }: ReleaseResult): Pairs {
  return [
    ['version', `${model} ${version}`],
    ['refused with', code],
    ['policy', decision?.rule],
    ['approved by', approvedBy],
    ['digest', release?.digest],
    ['manifest', release?.manifestSha256],
    ['signed with', release?.key],
    ['get it', release && `saip release download ${model} ${version}`],
  ];
}

function linkPairs(detail: WorkflowDetail, run: TrainResult['mlflow'], { stack }: Pick<Connection, 'stack'>): Pairs {
  const mlflow = stack?.mlflow;
  return [
    ['Temporal UI', detail.links.temporal],
    ['MLflow run', mlflow && run && `${mlflow}/#/experiments/${run.experimentId}/runs/${run.runId}`],
    ['API docs', stack?.docs],
  ];
}

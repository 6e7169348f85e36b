import { rankedTrials, shownMeasures } from '../../contracts/search.ts';
import type { SearchResult, ShownMeasure, TrialRecord } from '../../contracts/search.ts';
import { metricsOf } from '../../contracts/train-register-deploy.ts';
import type { EvaluationSummary } from '../../contracts/train-register-deploy.ts';
import type { Io } from '../io.ts';
import { renderPairs, renderTable } from '../render/table.ts';
import { formatDuration } from '../render/time.ts';

/** Every trial, the best first, and what the search took. */
export function renderSearchResult(result: SearchResult, io: Io): string {
  const { trials, rungs, objective, spent, winner, trained } = result;
  const version = trained?.registered;
  const shown = shownMeasures(objective);
  const compared = shown.find(({ name }) => name === objective)?.title ?? objective;
  const pairs = renderPairs([
    ['compared by', `validation ${compared}, rungs at epochs ${rungs.join(', ')}`],
    ['spent', spent && spentText(spent)],
    ['winner', winner && `trial ${String(winner.trial)}, ${winner.trainingWorkflowId}`],
    ['on the test set', trained?.evaluation && tested(trained.evaluation)],
    ['version', version && `${version.model} ${version.version}`],
    ['digest', version?.digest],
    ['alias', trained?.alias],
    ['weights', trained?.weightsSha256],
  ]);
  if (trials.length === 0) return pairs;
  const head = ['trial', 'state', 'epochs', ...shown.map(({ title }) => title), 'configuration'];
  const rows = rankedTrials(trials).map((trial) => row(trial, shown));
  return `${renderTable(head, rows, io)}\n\n${pairs}`;
}

function tested(evaluation: EvaluationSummary): string {
  const [{ title, interval }] = metricsOf(evaluation);
  return `${title} ${interval.value.toFixed(4)}`;
}

function spentText({
  trials,
  epochs,
  trainingSeconds,
  wallSeconds,
  endedBy,
}: NonNullable<SearchResult['spent']>): string {
  const over = endedBy === 'minutes' ? '; time was over' : '';
  return (
    `${String(trials)} trials, ${String(epochs)} epochs, ${formatDuration(trainingSeconds * 1000)} in training, ` +
    `${formatDuration(wallSeconds * 1000)} in all${over}`
  );
}

function row(
  { trial, state, measures, values, reason }: TrialRecord,
  shown: readonly ShownMeasure[],
): (string | number | undefined)[] {
  const last = measures.at(-1);
  const configuration = Object.entries(values).map(([path, value]) => `${shortened(path)}=${String(value)}`);
  return [
    trial,
    reason === undefined ? state : `${state}: ${reason}`,
    last?.epoch,
    ...shown.map(({ name }) => last?.[name]?.toFixed(4)),
    configuration.join(' '),
  ];
}

/** `training.optimizer.learningRate.initial` → `learningRate.initial`; `model.layers.1.units` → `layers.1.units`. */
function shortened(path: string): string {
  return path.replace(/^(training\.optimizer|training|model)\./, '');
}

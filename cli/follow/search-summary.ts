import type { SearchResult, TrialRecord } from '../../contracts/search.ts';
import { metricsOf } from '../../contracts/train-register-deploy.ts';
import type { EvaluationSummary } from '../../contracts/train-register-deploy.ts';
import type { Io } from '../io.ts';
import { renderPairs, renderTable } from '../render/table.ts';
import { formatDuration } from '../render/time.ts';

/** Every trial, the best first, and what the search took. */
export function renderSearchResult(result: SearchResult, io: Io): string {
  const { trials, rungs, objective, spent, winner, trained } = result;
  const version = trained?.registered;
  const pairs = renderPairs([
    ['compared by', `validation ${objective}, rungs at epochs ${rungs.join(', ')}`],
    ['spent', spent && spentText(spent)],
    ['winner', winner && `trial ${String(winner.trial)}, ${winner.trainingWorkflowId}`],
    ['on the test set', trained?.evaluation && tested(trained.evaluation)],
    ['version', version && `${version.model} ${version.version}`],
    ['digest', version?.digest],
    ['alias', trained?.alias],
    ['weights', trained?.weightsSha256],
  ]);
  if (trials.length === 0) return pairs;
  const head = ['trial', 'state', 'epochs', 'loss', 'accuracy', 'configuration'];
  return `${renderTable(head, ranked(trials).map(row), io)}\n\n${pairs}`;
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

/** The winner, then by the rung that was reached and by loss; what failed comes last. */
function ranked(trials: readonly TrialRecord[]): TrialRecord[] {
  const order = ({ state, measures }: TrialRecord): number => (state === 'won' ? Infinity : measures.length);
  const loss = ({ measures }: TrialRecord): number => measures.at(-1)?.loss ?? Number.MAX_VALUE;
  return [...trials].sort((a, b) => order(b) - order(a) || loss(a) - loss(b) || a.trial - b.trial);
}

function row({ trial, state, measures, values, reason }: TrialRecord): (string | number | undefined)[] {
  const last = measures.at(-1);
  const configuration = Object.entries(values).map(([path, value]) => `${shortened(path)}=${String(value)}`);
  return [
    trial,
    reason === undefined ? state : `${state}: ${reason}`,
    last?.epoch,
    last?.loss.toFixed(4),
    last?.accuracy.toFixed(4),
    configuration.join(' '),
  ];
}

/** `training.optimizer.learningRate.initial` → `learningRate.initial`; `model.layers.1.units` → `layers.1.units`. */
function shortened(path: string): string {
  return path.replace(/^(training\.optimizer|training|model)\./, '');
}

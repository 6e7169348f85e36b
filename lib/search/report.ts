import { z } from 'zod';
import { SearchInput, SearchResult, SearchSpent, TrialRecord } from '../../contracts/search.ts';

/** Machine-readable account of a search; `renderSearch` gives the same for people. */
export const SearchReport = z.strictObject({
  version: z.literal(1),
  workflowId: z.string(),
  requestedBy: z.string(),
  search: SearchInput,
  rungs: z.array(z.int()),
  trials: z.array(TrialRecord),
  spent: SearchSpent,
  winner: SearchResult.shape.winner,
  outcome: z.string(),
  reasons: z.array(z.string()),
});
export type SearchReport = z.infer<typeof SearchReport>;

/** Markdown: what was asked for, what it took, and one row a trial, the best first. */
export function renderSearch(report: SearchReport): string {
  const { search, rungs, spent, winner, trials, reasons } = report;
  const { train, objective, budget } = search;
  return [
    `**Search for ${train.registerAs}** on ${train.dataset}: ${winner === undefined ? 'no winner' : `trial ${winner.trial} won`} by validation ${objective}.`,
    '',
    `${spent.trials} trials, ${spent.epochs} epochs, ${spent.trainingSeconds.toFixed(1)} s in training, ` +
      `${spent.wallSeconds.toFixed(0)} s in all; ended by ${spent.endedBy}. Rungs at epochs ${rungs.join(', ')}, η = ${budget.eta}, seed ${train.seed}.`,
    ...reasons.map((reason) => `- ${reason}`),
    '',
    '| trial | state | epochs | loss | accuracy | configuration |',
    '| --- | --- | --- | --- | --- | --- |',
    ...ranked(trials).map(row),
  ].join('\n');
}

/** By the rung that was reached, then in the order of the search: the winner first, what failed last. */
export function ranked(trials: readonly TrialRecord[]): TrialRecord[] {
  const order = (trial: TrialRecord): number => (trial.state === 'won' ? Infinity : trial.measures.length);
  return [...trials].sort((a, b) => order(b) - order(a) || lossOf(a) - lossOf(b) || a.trial - b.trial);
}

function lossOf({ measures }: TrialRecord): number {
  return measures.at(-1)?.loss ?? Number.MAX_VALUE;
}

function row({ trial, state, measures, values, reason }: TrialRecord): string {
  const last = measures.at(-1);
  const configuration = Object.entries(values)
    .map(([path, value]) => `${path}=${value}`)
    .join(', ');
  const why = reason === undefined ? '' : ` (${reason.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')})`;
  const [epochs, loss, accuracy] = [last?.epoch, last?.loss.toFixed(4), last?.accuracy.toFixed(4)];
  return `| ${trial} | ${state}${why} | ${epochs ?? 0} | ${loss ?? '–'} | ${accuracy ?? '–'} | ${configuration} |`;
}

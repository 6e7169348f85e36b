import { z } from 'zod';
import {
  rankedTrials,
  SearchInput,
  SearchResult,
  SearchSpent,
  shownMeasures,
  TrialRecord,
} from '../../contracts/search.ts';
import type { ShownMeasure } from '../../contracts/search.ts';

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
  const shown = shownMeasures(objective);
  const compared = shown.find(({ name }) => name === objective)?.title ?? objective;
  return [
    `**Search for ${train.registerAs}** on ${train.dataset}: ${winner === undefined ? 'no winner' : `trial ${winner.trial} won`} by validation ${compared}.`,
    '',
    `${spent.trials} trials, ${spent.epochs} epochs, ${spent.trainingSeconds.toFixed(1)} s in training, ` +
      `${spent.wallSeconds.toFixed(0)} s in all; ended by ${spent.endedBy}. Rungs at epochs ${rungs.join(', ')}, η = ${budget.eta}, seed ${train.seed}.`,
    ...reasons.map((reason) => `- ${reason}`),
    '',
    `| trial | state | epochs | ${shown.map(({ title }) => title).join(' | ')} | configuration |`,
    '| --- | --- | --- | --- | --- | --- |',
    ...rankedTrials(trials).map((trial) => row(trial, shown)),
  ].join('\n');
}

function row({ trial, state, measures, values, reason }: TrialRecord, shown: readonly ShownMeasure[]): string {
  const last = measures.at(-1);
  const configuration = Object.entries(values)
    .map(([path, value]) => `${path}=${value}`)
    .join(', ');
  const why = reason === undefined ? '' : ` (${reason.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')})`;
  const worth = shown.map(({ name }) => last?.[name]?.toFixed(4) ?? '–').join(' | ');
  return `| ${trial} | ${state}${why} | ${last?.epoch ?? 0} | ${worth} | ${configuration} |`;
}

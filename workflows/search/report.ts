import type { SearchReportRequest } from '../../contracts/activities.ts';
import type { TrialRecord, TrialState } from '../../contracts/search.ts';
import type { Conclusion } from '../shared/run.ts';
import { spentOn } from './search.ts';
import type { Search, Trial } from './search.ts';

/** Table and curves of what was tried, however the search ended. */
export async function reportSearch(search: Search, { outcome, reasons }: Conclusion): Promise<void> {
  const { activities, run, result } = search;
  const { report, mlflow } = await activities
    .data('Table and learning curves, to MLflow')
    .reportSearch(requestOf(search, outcome, reasons));
  result.report = report;
  result.mlflow = { experimentId: mlflow.experimentId, runId: mlflow.runId };
  run.report.link('MLflow run', mlflow.url);
}

function requestOf(search: Search, outcome: string, reasons: readonly string[]): SearchReportRequest {
  const { input, context, rungs, trials, result } = search;
  const histories = trials.flatMap(({ trial, history }) => (history ? [[String(trial), history] as const] : []));
  return {
    run: context,
    search: input,
    rungs,
    trials: recordsOf(search),
    histories: Object.fromEntries(histories),
    spent: spentOn(search),
    ...(result.winner && { winner: result.winner }),
    ...(result.trained?.mlflow && { trained: result.trained.mlflow }),
    outcome,
    reasons,
  };
}

/** The rows of the table. */
export function recordsOf({ trials, result }: Search): TrialRecord[] {
  return trials.map((trial) => {
    const { values, measures, seconds, reason } = trial;
    const state = stateOf(trial, result.winner?.trial);
    return {
      trial: trial.trial,
      state,
      values,
      measures: [...measures],
      seconds,
      ...(reason !== undefined && { reason }),
    };
  });
}

function stateOf({ trial, state, measures }: Trial, winner: number | undefined): TrialState {
  if (trial === winner) return 'won';
  if (state !== 'paused') return state;
  return measures.length > 1 ? 'promoted' : 'stopped';
}

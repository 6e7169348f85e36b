import type { PreparedData, RunContext } from '../../contracts/activities.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import type { SearchInput, SearchResult, SearchSpent, SearchStage, TrialMeasure } from '../../contracts/search.ts';
import type { SearchValues } from '../../contracts/search-space.ts';
import type { Activities } from '../shared/activities.ts';
import type { Run } from '../shared/run.ts';
import { bestOf } from './asha.ts';
import type { AshaPlan, AshaTrial } from './asha.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A trial as the search goes on. */
export interface Trial extends Writable<AshaTrial> {
  readonly values: SearchValues;
  readonly measures: TrialMeasure[];
  seconds: number;
  history: ArtifactRef | undefined;
  /** Why it failed, or was cut off. */
  reason: string | undefined;
}

/** One run of `searchHyperparameters`, with everything that its stages share. */
export interface Search {
  readonly input: SearchInput;
  readonly context: RunContext;
  readonly run: Run<SearchStage>;
  readonly activities: Activities;
  /** Of the workflow, milliseconds since the epoch. */
  readonly startedAt: number;
  readonly rungs: readonly number[];
  /** Those that were begun, in order. */
  readonly trials: Trial[];
  endedBy: SearchSpent['endedBy'];
  /** Seconds until the search ended; the winner's training comes after. */
  wallSeconds: number | undefined;
  readonly result: Writable<Pick<SearchResult, 'winner' | 'trained' | 'report' | 'mlflow'>>;
}

/** What the first stage finds out. */
export interface PlannedSearch {
  readonly data: PreparedData;
  readonly points: readonly SearchValues[];
}

/** What identifies the training of a trial over all rungs; the winner's own training goes on under it, by this id. */
export function trialKey({ context }: Pick<Search, 'context'>, trial: number): string {
  return `${context.key}-trial-${trial}`;
}

export function ashaPlan({ input, rungs }: Search, trials: number): AshaPlan {
  return { rungs, eta: input.budget.eta, objective: input.objective, trials };
}

export function bestTrial(search: Search): Trial | undefined {
  const best = bestOf(ashaPlan(search, search.trials.length), search.trials);
  return search.trials.find(({ trial }) => trial === best?.trial);
}

export function spentOn({ trials, endedBy, startedAt, wallSeconds }: Search): SearchSpent {
  return {
    trials: trials.length,
    epochs: trials.reduce((sum, { measures }) => sum + (measures.at(-1)?.epoch ?? 0), 0),
    trainingSeconds: trials.reduce((sum, { seconds }) => sum + seconds, 0),
    wallSeconds: wallSeconds ?? (Date.now() - startedAt) / 1000,
    endedBy,
  };
}

/** Loss and accuracy, or RMSE and R², as stages and reports show them. */
export function describeMeasure(measure: Omit<TrialMeasure, 'rung'>): string {
  const { epoch } = measure;
  return `${describeWorth(measure)} after ${epoch} epoch${epoch === 1 ? '' : 's'}`;
}

/** The same without the epoch. */
export function describeWorth({ loss, accuracy, rmse, r2 }: Omit<TrialMeasure, 'rung'>): string {
  if (rmse !== undefined) return `RMSE ${rmse.toFixed(4)}, R² ${r2?.toFixed(4)}`;
  return `loss ${loss.toFixed(4)}, accuracy ${accuracy?.toFixed(4)}`;
}

/** What the best trial so far is worth, for the metrics of the progress. */
export function measureMetrics(
  prefix: string,
  { loss, accuracy, rmse, r2 }: Omit<TrialMeasure, 'rung'>,
): Record<string, number> {
  if (rmse !== undefined && r2 !== undefined) return { [`${prefix}Rmse`]: rmse, [`${prefix}R2`]: r2 };
  return { [`${prefix}Loss`]: loss, ...(accuracy !== undefined && { [`${prefix}Accuracy`]: accuracy }) };
}

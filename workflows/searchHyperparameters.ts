import { workflowInfo } from '@temporalio/workflow';
import { SearchInput } from '../contracts/search.ts';
import type { SearchResult, SearchStage, TrialMeasure } from '../contracts/search.ts';
import { searchStart } from '../contracts/workflows.ts';
import { rungsOf } from './search/asha.ts';
import { recordsOf, reportSearch } from './search/report.ts';
import { bestTrial, describeMeasure, spentOn } from './search/search.ts';
import type { PlannedSearch, Search, Trial } from './search/search.ts';
import { runTrials } from './search/trials.ts';
import { trainWinner } from './search/winner.ts';
import { activitiesFor } from './shared/activities.ts';
import { failure, parseInput, Rejection } from './shared/failures.ts';
import { auditOutcome, bestEffort } from './shared/outcome.ts';
import { Run } from './shared/run.ts';
import type { Conclusion } from './shared/run.ts';

/** Usual share of the duration, in seconds for a small network. */
const STAGES: Readonly<Record<SearchStage, number>> = { plan: 4, search: 240, train: 90, report: 10 };

/**
 * Searches for a configuration by asynchronous successive halving: trials are children that train up to a rung and wait
 * to be promoted; all are compared on the validation split. The winner then goes through `trainRegisterDeploy`, with its
 * gates and whatever else was asked for.
 *
 * Query `progress`; update `cancel`. A winner that is refused ends the search `rejected`, which is no failure.
 * @throws ApplicationFailure `SEARCH_FAILED` when no trial could be trained, or another code of contracts/errors.ts
 */
export async function searchHyperparameters(value: SearchInput): Promise<SearchResult> {
  const input = parseInput(SearchInput, value);
  const { workflowId, runId } = workflowInfo();
  const start = searchStart(input);
  const { train, objective, budget } = input;
  const search: Search = {
    input,
    context: { key: workflowId, runId, requestedBy: train.requestedBy },
    run: new Run({ title: start.staticSummary, stages: STAGES, onFailure: { action: 'fail', windowSeconds: 1 } }),
    activities: activitiesFor(start.priority),
    startedAt: Date.now(),
    rungs: rungsOf({ ...budget, maxEpochs: train.training.epochs }),
    trials: [],
    endedBy: 'trials',
    wallSeconds: undefined,
    result: {},
  };
  const { outcome, reasons } = await search.run.conclude(
    () => carryOut(search),
    (conclusion) => close(search, conclusion),
  );
  const { registerAs: model, dataset } = train;
  const { rungs, result } = search;
  const trials = recordsOf(search);
  const spent = spentOn(search);
  return { ...result, outcome, reasons, model, dataset, objective, rungs: [...rungs], trials, spent };
}

async function carryOut(search: Search): Promise<void> {
  const { run } = search;
  const planned = await plan(search);
  const winner = await run.stage(
    'search',
    async () => {
      await runTrials(search, planned);
      return chooseWinner(search);
    },
    ({ trial, measures }) => describeEnd(search, trial, measures.at(-1)),
  );
  const { outcome, reasons } = await trainWinner(search, winner);
  if (outcome !== 'completed') throw new Rejection(reasons);
}

/** Data and points: one split for all trials, and for the winner. */
function plan({ input, run, activities, rungs }: Search): Promise<PlannedSearch> {
  const { dataset, tenant, seed, training } = input.train;
  return run.stage(
    'plan',
    async () => {
      await activities.data(`Card and files of ${dataset}`).verifyDataCard({ dataset, tenant });
      const split = { dataset, tenant, seed, validationShare: training.validationShare };
      const data = await activities.data(`Split with seed ${seed}`).prepareData(split);
      const { trials: points } = await activities.records('Points of the space').planSearch({ search: input });
      return { data, points };
    },
    ({ points, data }) =>
      `${points.length} configurations, rungs at epochs ${rungs.join(', ')}, compared on ${data.counts.validation} samples`,
  );
}

/**
 * @throws ApplicationFailure SEARCH_FAILED when every trial failed
 * @throws Rejection when time was over before one was measured
 */
function chooseWinner(search: Search): Trial {
  const best = bestTrial(search);
  if (best !== undefined) return best;
  const { trials, endedBy, input } = search;
  const failures = trials.filter(({ state }) => state === 'failed');
  if (endedBy === 'minutes' && failures.length < trials.length) {
    throw new Rejection([`the budget of ${input.budget.minutes} minutes ran out before a trial was measured`]);
  }
  const why = [...new Set(failures.map(({ reason }) => reason ?? 'unknown'))].join('; ');
  throw failure('SEARCH_FAILED', `None of ${trials.length} trials could be trained: ${why}`);
}

function describeEnd(search: Search, trial: number, measure: TrialMeasure | undefined): string {
  const { trials, epochs, trainingSeconds, endedBy } = spentOn(search);
  const spent = `${trials} trials, ${epochs} epochs, ${trainingSeconds.toFixed(1)} s in training`;
  const over = endedBy === 'minutes' ? ', time is over' : '';
  return `${spent}${over}; trial ${trial} wins${measure === undefined ? '' : `: ${describeMeasure(measure)}`}`;
}

/** Table and curves, also of a search that was cancelled or failed, and the audit log. @returns what could not be told */
async function close(search: Search, conclusion: Conclusion): Promise<string[]> {
  const { input, context, run, activities, trials, result } = search;
  const problems =
    trials.length === 0
      ? []
      : await bestEffort('table and curves of the search', () =>
          run.stage(
            'report',
            () => reportSearch(search, conclusion),
            () => `run ${result.mlflow?.runId}`,
          ),
        );
  const { registered } = result.trained ?? {};
  const subject = registered === undefined ? input.train.registerAs : `${registered.model}@${registered.version}`;
  const audit = { actor: context.requestedBy, action: 'workflow:search', subject, workflowId: context.key };
  return [...problems, ...(await auditOutcome(activities, conclusion, audit))];
}

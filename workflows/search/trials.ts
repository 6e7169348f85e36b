import {
  CancellationScope,
  ChildWorkflowCancellationType,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  TemporalFailure,
} from '@temporalio/workflow';
import { withValues } from '../../contracts/search-space.ts';
import type { TrialInput, TrialResult } from '../../contracts/trial.ts';
import { trialStart, trialWorkflowId } from '../../contracts/workflows.ts';
import { runTrial } from '../runTrial.ts';
import { describeFailure } from '../shared/failures.ts';
import { searchAttributePairs } from '../shared/search-attributes.ts';
import { within } from '../shared/within.ts';
import { nextJob } from './asha.ts';
import type { AshaJob } from './asha.ts';
import { ashaPlan, bestTrial, describeMeasure, measureMetrics, trialKey } from './search.ts';
import type { PlannedSearch, Search, Trial } from './search.ts';

/** Runs trials until nothing is left to try, or until the minutes are over: what runs then is cut off. */
export async function runTrials(search: Search, planned: PlannedSearch): Promise<void> {
  const { input, startedAt } = search;
  const left = startedAt + input.budget.minutes * 60_000 - Date.now();
  const ended = left <= 0 ? 'late' : await within(left, () => fillSlots(search, planned));
  search.endedBy = ended === 'late' ? 'minutes' : 'trials';
  search.wallSeconds = (Date.now() - startedAt) / 1000;
}

async function fillSlots(search: Search, planned: PlannedSearch): Promise<void> {
  const running = new Map<number, Promise<void>>();
  try {
    for (;;) {
      while (running.size < search.input.budget.parallel) {
        const job = nextJob(ashaPlan(search, planned.points.length), search.trials);
        if (job === undefined) break;
        const done = carryOut(search, planned, job).finally(() => running.delete(job.trial));
        running.set(job.trial, done);
      }
      report(search, planned.points.length);
      if (running.size === 0) return;
      await Promise.race(running.values());
    }
  } finally {
    // Devices are free once all children have ended.
    await Promise.allSettled(running.values());
  }
}

/** One rung of one trial. Its failure is a result of the search; a cancellation of the search is not. */
async function carryOut(search: Search, planned: PlannedSearch, job: AshaJob): Promise<void> {
  const trial = trialOf(search, planned, job);
  trial.state = 'running';
  try {
    const { outcome, reasons, measure, history, seconds } = await executeTrial(search, planned, trial, job);
    if (outcome !== 'completed' || measure === undefined) {
      fail(trial, reasons.join('; ') || outcome);
      return;
    }
    trial.measures.push(measure);
    trial.history = history;
    trial.seconds = seconds ?? trial.seconds;
    trial.state = 'paused';
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) {
      trial.state = 'paused';
      trial.reason = 'cut off';
      throw error;
    }
    fail(trial, describeFailure(error));
  }
}

function fail(trial: Trial, reason: string): void {
  trial.state = 'failed';
  trial.reason = reason;
}

function trialOf({ trials }: Search, { points }: PlannedSearch, { trial }: AshaJob): Trial {
  const known = trials[trial - 1];
  if (known !== undefined) return known;
  const begun: Trial = {
    trial,
    state: 'running',
    values: points[trial - 1] ?? {},
    measures: [],
    seconds: 0,
    history: undefined,
    reason: undefined,
  };
  trials.push(begun);
  return begun;
}

function executeTrial(search: Search, { data }: PlannedSearch, trial: Trial, { rung }: AshaJob): Promise<TrialResult> {
  const { train } = search.input;
  const { dataset, registerAs, seed, requestedBy, tenant } = train;
  const input: TrialInput = {
    trial: trial.trial,
    key: trialKey(search, trial.trial),
    rung,
    stopAfterEpoch: search.rungs[rung] ?? train.training.epochs,
    ...withValues(train, trial.values),
    seed,
    data,
    dataset,
    registerAs,
    requestedBy,
    tenant,
  };
  const { staticSummary, staticDetails, searchAttributes, priority } = trialStart(input);
  return executeChild(runTrial, {
    args: [input],
    workflowId: trialWorkflowId(input),
    staticSummary,
    staticDetails,
    typedSearchAttributes: searchAttributePairs(searchAttributes),
    priority,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
  });
}

/** `4 of 12 trials tried · in flight: 3 (up to epoch 3), 5 (up to epoch 1) · best: trial 2, loss …`. */
function report(search: Search, planned: number): void {
  const { run, trials, rungs } = search;
  const running = trials.filter(({ state }) => state === 'running');
  const flights = running.map(({ trial, measures }) => `${trial} (up to epoch ${rungs[measures.length]})`);
  const best = bestTrial(search);
  const measure = best?.measures.at(-1);
  const ended = trials.length - running.filter(({ measures }) => measures.length === 0).length;
  const detail = [
    `${ended} of ${planned} trials tried`,
    ...(flights.length > 0 ? [`in flight: ${flights.join(', ')}`] : []),
    ...(best && measure ? [`best: trial ${best.trial}, ${describeMeasure(measure)}`] : []),
  ].join(' · ');
  run.report.measure({
    trials: ended,
    ...(measure && measureMetrics('bestValidation', measure)),
  });
  run.report.advance('search', ended / planned, detail);
}

import type { SearchObjective, TrialMeasure } from '../../contracts/search.ts';

/** What the decisions of a search depend on; `measures` has one entry a rung that was reached, in order. */
export interface AshaTrial {
  readonly trial: number;
  readonly state: 'running' | 'paused' | 'failed';
  readonly measures: readonly TrialMeasure[];
}

export interface AshaPlan {
  /** Epochs of each rung. */
  readonly rungs: readonly number[];
  readonly eta: number;
  readonly objective: SearchObjective;
  /** Configurations there are. */
  readonly trials: number;
}

/** Train `trial`, known or new, up to the epochs of `rung`. */
export interface AshaJob {
  readonly trial: number;
  readonly rung: number;
}

/**
 * Epochs of the rungs: R·η^(k−K) for k = 0 … K, so that the last one is a whole training and the first has at least
 * `minEpochs` (Li et al., 2018, "Hyperband"; for whole powers these are r·η^k).
 */
export function rungsOf(o: { minEpochs: number; maxEpochs: number; eta: number }): number[] {
  const rungs = [o.maxEpochs];
  for (let epochs = o.maxEpochs / o.eta; epochs >= o.minEpochs; epochs /= o.eta) rungs.unshift(Math.round(epochs));
  return rungs;
}

/**
 * What a free slot does next, by asynchronous successive halving (Li et al., 2020, "A System for Massively Parallel
 * Hyperparameter Tuning", algorithm 2): the best trial of the highest rung that is among the top 1/η of those measured
 * there and was not promoted yet; else a new configuration. Nobody is waited for.
 *
 * @returns undefined when there is nothing to do until a running trial is measured
 */
export function nextJob(plan: AshaPlan, trials: readonly AshaTrial[]): AshaJob | undefined {
  for (let rung = plan.rungs.length - 2; rung >= 0; rung -= 1) {
    const measured = rankedAt(plan, trials, rung);
    const top = measured.slice(0, Math.floor(measured.length / plan.eta));
    const promotable = top.find(({ state, measures }) => state === 'paused' && measures.length === rung + 1);
    if (promotable !== undefined) return { trial: promotable.trial, rung: rung + 1 };
  }
  return trials.length < plan.trials ? { trial: trials.length + 1, rung: 0 } : undefined;
}

/** The best trial of the highest rung that one was measured at; undefined where none was. */
export function bestOf(plan: AshaPlan, trials: readonly AshaTrial[]): AshaTrial | undefined {
  for (let rung = plan.rungs.length - 1; rung >= 0; rung -= 1) {
    const [best] = rankedAt(plan, trials, rung).filter(({ state }) => state !== 'failed');
    if (best !== undefined) return best;
  }
  return undefined;
}

/**
 * Those measured at a rung, the best first; of equals the one that the other measure prefers, then the older one. A
 * failure further up does not undo a measure. The RMSE of a regression is in the order of its loss.
 */
function rankedAt({ objective }: AshaPlan, trials: readonly AshaTrial[], rung: number): AshaTrial[] {
  const loss = ({ measures }: AshaTrial): number => measures[rung]?.loss ?? Infinity;
  const errors = ({ measures }: AshaTrial): number => 1 - (measures[rung]?.accuracy ?? 0);
  const [first, second] = objective === 'accuracy' ? [errors, loss] : [loss, errors];
  return trials
    .filter(({ measures }) => measures.length > rung)
    .sort((a, b) => first(a) - first(b) || second(a) - second(b) || a.trial - b.trial);
}

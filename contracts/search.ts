import { z } from 'zod';
import { TrainingConfig } from './model-config.ts';
import { ArtifactRef, Name } from './reference.ts';
import { SearchSpace, SearchValues } from './search-space.ts';
import { TrainInput, TrainRequest, TrainResult } from './train-register-deploy.ts';

/** Stages of `searchHyperparameters`, in order; `train` is the winner's own training, gates and rollout. */
export const SEARCH_STAGES = ['plan', 'search', 'train', 'report'] as const;
export const SearchStage = z.enum(SEARCH_STAGES);
export type SearchStage = z.infer<typeof SearchStage>;

/** Configurations of one search: what its history, its payloads and its table hold with room to spare. */
export const MAX_TRIALS = 256;

export const SearchBudget = z.strictObject({
  /** Configurations that are tried. */
  trials: z.int().min(1).max(MAX_TRIALS).default(12),
  /** Epochs of a whole training, and of the winner's; default: those of the training. */
  maxEpochs: TrainingConfig.shape.epochs.optional(),
  /** Least epochs after which a configuration is judged. */
  minEpochs: TrainingConfig.shape.epochs.default(1),
  /** One in so many goes on to the next rung, for so many times the epochs. */
  eta: z.int().min(2).max(10).default(3),
  /** Trials at the same time; those beyond the devices wait in the queue. */
  parallel: z.int().min(1).max(16).default(2),
  /** For the search, from the start of the workflow; the training of the winner comes on top. */
  minutes: z.int().min(1).max(1440).default(60),
});
export type SearchBudget = z.infer<typeof SearchBudget>;

/**
 * What is compared on the validation split: the test set is the winner's alone. Classifiers are compared by `loss` (the
 * cross-entropy) or `accuracy`; regressions by `rmse`, the root of the mean squared error in the unit of the target.
 */
export const SearchObjective = z.enum(['loss', 'accuracy', 'rmse']);
export type SearchObjective = z.infer<typeof SearchObjective>;

/** Body of `POST /v1/workflows/search-hyperparameters`. */
export const SearchRequest = z.strictObject({
  /** What the winner is trained, gated and rolled out as; everything that the space does not name stays as it is here. */
  train: TrainRequest,
  /** Default: what follows from the network and its training (docs/hyperparameter-search.md). */
  space: SearchSpace.optional(),
  /** Default: `loss`, of a regression `rmse`. */
  objective: SearchObjective.optional(),
  budget: SearchBudget.prefault({}),
});
export type SearchRequest = z.infer<typeof SearchRequest>;

/** Workflow input: the request with presets and the space resolved. `train.training.epochs` are those of the top rung. */
export const SearchInput = z.strictObject({
  train: TrainInput,
  space: SearchSpace,
  objective: SearchObjective,
  budget: SearchBudget.omit({ maxEpochs: true }),
});
export type SearchInput = z.infer<typeof SearchInput>;

/** What a configuration is worth after an epoch, on the validation split. */
export const TrialMeasure = z.strictObject({
  rung: z.int(),
  epoch: z.int(),
  /** Cross-entropy in nats, or the squared error of the standardised target. */
  loss: z.number(),
  /** Of classes. */
  accuracy: z.number().optional(),
  /** Of a quantity: in the unit of the target, and the share of its variance that is explained. */
  rmse: z.number().optional(),
  r2: z.number().optional(),
});
export type TrialMeasure = z.infer<typeof TrialMeasure>;

/** A measure as tables and pictures show it. */
export interface ShownMeasure {
  readonly name: 'loss' | 'accuracy' | 'rmse' | 'r2';
  readonly title: string;
}

/** The two measures that a search shows: its objective, and what else is said of the same task. */
export function shownMeasures(objective: SearchObjective): readonly [ShownMeasure, ShownMeasure] {
  if (objective === 'rmse') {
    return [
      { name: 'rmse', title: 'RMSE' },
      { name: 'r2', title: 'R²' },
    ];
  }
  return [
    { name: 'loss', title: 'loss' },
    { name: 'accuracy', title: 'accuracy' },
  ];
}

/** How a trial ended: `stopped` at its first rung, `promoted` beyond it, `won`, or `failed`. */
export const TrialState = z.enum(['running', 'stopped', 'promoted', 'won', 'failed']);
export type TrialState = z.infer<typeof TrialState>;

/** One row of the table of a search. */
export const TrialRecord = z.strictObject({
  trial: z.int(),
  state: TrialState,
  values: SearchValues,
  /** One a rung that was reached, in order. */
  measures: z.array(TrialMeasure),
  seconds: z.number(),
  /** Why it failed, or was cut off. */
  reason: z.string().optional(),
});
export type TrialRecord = z.infer<typeof TrialRecord>;

/** The winner first; then by the rung that was reached and the loss there; what failed comes last. */
export function rankedTrials(trials: readonly TrialRecord[]): TrialRecord[] {
  const order = ({ state, measures }: TrialRecord): number => (state === 'won' ? Infinity : measures.length);
  const loss = ({ measures }: TrialRecord): number => measures.at(-1)?.loss ?? Number.MAX_VALUE;
  return [...trials].sort((a, b) => order(b) - order(a) || loss(a) - loss(b) || a.trial - b.trial);
}

/** What a search took. */
export const SearchSpent = z.strictObject({
  trials: z.int(),
  /** Of all trials together, the winner's further training not included. */
  epochs: z.int(),
  /** Seconds in training steps. */
  trainingSeconds: z.number(),
  /** Seconds from the start of the workflow to the end of the search. */
  wallSeconds: z.number(),
  /** `trials`: nothing was left to try or to promote; `minutes`: time was over. */
  endedBy: z.enum(['trials', 'minutes']),
});
export type SearchSpent = z.infer<typeof SearchSpent>;

/** Result of the workflow. `rejected`: nothing was measured in time, or the winner's own training was refused. */
export const SearchResult = z.strictObject({
  outcome: z.enum(['completed', 'rejected', 'cancelled']),
  reasons: z.array(z.string()),
  model: Name,
  dataset: Name,
  objective: SearchObjective,
  /** Epochs of the rungs. */
  rungs: z.array(z.int()),
  trials: z.array(TrialRecord),
  spent: SearchSpent.optional(),
  winner: z.strictObject({ trial: z.int(), trainingWorkflowId: z.string() }).optional(),
  /** Result of the winner's `trainRegisterDeploy`. */
  trained: TrainResult.optional(),
  report: z.strictObject({ json: ArtifactRef, markdown: ArtifactRef, plot: ArtifactRef.optional() }).optional(),
  mlflow: z.strictObject({ experimentId: z.string(), runId: z.string() }).optional(),
});
export type SearchResult = z.infer<typeof SearchResult>;

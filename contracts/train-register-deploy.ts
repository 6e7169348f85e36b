import { z } from 'zod';
import { RobustnessGate } from './adversary.ts';
import { ModelConfig, Preset, TrainingConfig, TrainingOverrides } from './model-config.ts';
import { ArtifactRef, Name, Sha256 } from './reference.ts';
import { ReusedSteps } from './step-cache.ts';

/** Stages of `trainRegisterDeploy`, in order; these names are shown in the Temporal UI, the CLI and the API. */
export const TRAIN_STAGES = [
  'verifyDataCard',
  'prepareData',
  'train',
  'evaluate',
  'exportOnnx',
  'logRun',
  'gates',
  'approval',
  'signModel',
  'registerVersion',
  'rollout',
] as const;
export const TrainStage = z.enum(TRAIN_STAGES);
export type TrainStage = z.infer<typeof TrainStage>;

export const TrainGates = Preset.shape.gates.extend({
  /**
   * `not-worse`: a one-sided test against the champion on the same test set, alpha 0.05: McNemar's exact test of classes,
   * a paired permutation test of squared errors.
   */
  champion: z.enum(['not-worse', 'off']).default('not-worse'),
  /** Absent: the candidate is not attacked. */
  robustness: RobustnessGate.optional(),
});
export type TrainGates = z.infer<typeof TrainGates>;

export const ApprovalRule = z.strictObject({
  required: z.boolean().default(false),
  /** Seconds a person has; then the workflow ends `rejected`. */
  timeoutSeconds: z
    .int()
    .min(1)
    .max(30 * 86_400)
    .default(86_400),
});

/**
 * What happens when a stage fails for good: `fail` undoes what was registered and ends the workflow; `wait` first
 * keeps the failed stage open for the update `retryStage`, and fails when nobody asked in time.
 */
export const FailureRule = z.strictObject({
  action: z.enum(['fail', 'wait']).default('fail'),
  /** Seconds that a failed stage stays open under `wait`. */
  windowSeconds: z.int().min(1).max(86_400).default(600),
});
export type FailureRule = z.infer<typeof FailureRule>;

/** How a run uses results of earlier runs. What it makes itself is kept, unless `mode` is `off`. */
export const CacheRule = z.strictObject({
  /** `off`: nothing is reused, and nothing is kept. */
  mode: z.enum(['use', 'off']).default('use'),
  /** This stage and all later ones run anew; their results replace what is kept. */
  from: TrainStage.optional(),
});
export type CacheRule = z.infer<typeof CacheRule>;

/** What every request says that may end in a rollout, of a training or of a model from elsewhere. */
export const ReleaseWish = z.strictObject({
  /** Name in the registry; default: the model's own name. */
  registerAs: Name.optional(),
  approval: ApprovalRule.prefault({}),
  onFailure: FailureRule.prefault({}),
  rollout: z.boolean().default(true),
});

/** The same in the input of a workflow: resolved, and with who asked. */
export const ReleaseOrder = z.strictObject({
  registerAs: Name,
  gates: TrainGates,
  approval: ApprovalRule,
  onFailure: FailureRule.prefault({}),
  rollout: z.boolean(),
  /** Subject of the token, or `schedule:<id>`. */
  requestedBy: z.string(),
  tenant: z.string().default('default'),
});

/** Body of `POST /v1/workflows/train-register-deploy`. */
export const TrainRequest = z.strictObject({
  /** A preset's name (`saip models presets`) or a whole network. */
  model: z.union([Name, ModelConfig]),
  /** Default: the preset's data set. Required for a custom network. */
  dataset: Name.optional(),
  ...ReleaseWish.shape,
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(42),
  /** Overrides of the preset's training; a custom network must bring `epochs`, `batchSize` and `optimizer`. */
  training: TrainingOverrides.optional(),
  gates: TrainGates.partial().optional(),
  cache: CacheRule.prefault({}),
});
export type TrainRequest = z.infer<typeof TrainRequest>;

/** Workflow input: the request with presets resolved, and who asked. */
export const TrainInput = z.strictObject({
  model: ModelConfig,
  dataset: Name,
  seed: z.int(),
  training: TrainingConfig,
  cache: CacheRule.prefault({}),
  ...ReleaseOrder.shape,
});
export type TrainInput = z.infer<typeof TrainInput>;

export const MetricInterval = z.object({ value: z.number(), low: z.number(), high: z.number() });
/** A point estimate with its 95 % bootstrap interval. */
export type MetricInterval = z.infer<typeof MetricInterval>;

export const ClassificationSummary = z.object({
  samples: z.int(),
  accuracy: MetricInterval,
  macroF1: MetricInterval,
  logLoss: MetricInterval,
  ece: MetricInterval,
});
export type ClassificationSummary = z.infer<typeof ClassificationSummary>;

export const RegressionSummary = z.object({
  task: z.literal('regression'),
  samples: z.int(),
  /** Root of the mean squared, and mean absolute error, in the unit of the target. */
  rmse: MetricInterval,
  mae: MetricInterval,
  /** Share of the variance that is explained; below 0 for worse than the mean. */
  r2: MetricInterval,
});
export type RegressionSummary = z.infer<typeof RegressionSummary>;

export const EvaluationSummary = z.union([RegressionSummary, ClassificationSummary]);
export type EvaluationSummary = z.infer<typeof EvaluationSummary>;

export function isRegression(summary: EvaluationSummary): summary is RegressionSummary {
  return 'task' in summary;
}

export interface NamedMetric {
  /** Field of the summary. */
  readonly name: 'accuracy' | 'macroF1' | 'logLoss' | 'ece' | 'rmse' | 'mae' | 'r2';
  /** For people. */
  readonly title: string;
  readonly interval: MetricInterval;
}

/** The metrics of a summary, the one that says most first. */
export function metricsOf(summary: EvaluationSummary): [NamedMetric, ...NamedMetric[]] {
  if (isRegression(summary)) {
    return [
      { name: 'rmse', title: 'RMSE', interval: summary.rmse },
      { name: 'mae', title: 'MAE', interval: summary.mae },
      { name: 'r2', title: 'R²', interval: summary.r2 },
    ];
  }
  return [
    { name: 'accuracy', title: 'accuracy', interval: summary.accuracy },
    { name: 'macroF1', title: 'macro F1', interval: summary.macroF1 },
    { name: 'logLoss', title: 'log loss', interval: summary.logLoss },
    { name: 'ece', title: 'ECE', interval: summary.ece },
  ];
}

export const GateResult = z.object({ name: z.string(), passed: z.boolean(), reason: z.string() });
export type GateResult = z.infer<typeof GateResult>;

/** Result of the workflow. `rejected` is a business outcome: gates, an approver or a time-out said no. */
export const TrainResult = z.strictObject({
  outcome: z.enum(['completed', 'rejected', 'cancelled']),
  reasons: z.array(z.string()),
  weightsSha256: Sha256.optional(),
  evaluation: EvaluationSummary.optional(),
  gates: z.array(GateResult).optional(),
  mlflow: z.object({ experimentId: z.string(), runId: z.string() }).optional(),
  registered: z.object({ model: Name, version: z.string(), digest: Sha256, signature: ArtifactRef }).optional(),
  alias: z.string().optional(),
  /** Stages whose results came from earlier runs. */
  reused: ReusedSteps.optional(),
  /** What the run made was the champion already: `registered` is that version, and no new one. */
  unchanged: z.boolean().optional(),
});
export type TrainResult = z.infer<typeof TrainResult>;

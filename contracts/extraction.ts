import { z } from 'zod';
import { Epsilon, Measurement } from './adversary.ts';
import { ModelConfig } from './model-config.ts';
import { ArtifactRef, Name, Sha256 } from './reference.ts';
import { MetricInterval } from './train-register-deploy.ts';

/** Stages of `measureExtraction`, in order. */
export const EXTRACTION_STAGES = ['resolveTarget', 'extract', 'measure', 'report'] as const;
export const ExtractionStage = z.enum(EXTRACTION_STAGES);
export type ExtractionStage = z.infer<typeof ExtractionStage>;

/** What the thief is told of each query: the whole distribution, or its first class. */
export const AnswerKind = z.enum(['probabilities', 'labels']);
export type AnswerKind = z.infer<typeof AnswerKind>;

/** How a substitute is trained: the same for every number of queries, so that the numbers alone make the curve. */
export const SubstituteTraining = z.strictObject({
  epochs: z.int().min(1).max(200).default(10),
  /** Few queries are seen more often: no training ends before so many steps. */
  minSteps: z.int().min(1).max(20_000).default(800),
  batchSize: z.int().min(1).max(1024).default(64),
  learningRate: z.number().gt(0).max(1).default(0.002),
});
export type SubstituteTraining = z.infer<typeof SubstituteTraining>;

const queries = z.int().min(10).max(1_000_000);

/** What is measured. Everything that changes the numbers is in here. */
export const Extraction = z.strictObject({
  /** Ascending, without repetition. */
  queries: z
    .array(queries)
    .min(1)
    .max(12)
    .refine((all) => all.every((value, index) => index === 0 || value > (all[index - 1] ?? 0)), {
      message: 'list the numbers of queries from the smallest to the largest, each once',
    }),
  answers: z
    .array(AnswerKind)
    .min(1)
    .refine((kinds) => new Set(kinds).size === kinds.length, { message: 'name each kind of answer once' }),
  /**
   * Samples like those of the model that the thief has: of the half of the test set that is not measured on. The rest of
   * the queries is made of them. Absent: all of that half.
   */
  ownSamples: z.int().min(10).max(1_000_000).optional(),
  /** Length of a step of the augmentation, as a share of the range of a value. */
  step: Epsilon.default(0.1),
  /** Of the halves, of the order of the queries and of the substitutes' first weights. */
  seed: Measurement.shape.seed,
  /** Absent: the network of the model itself where it is known, else that of the data set's first preset. */
  substitute: ModelConfig.optional(),
  training: SubstituteTraining.prefault({}),
});
export type Extraction = z.infer<typeof Extraction>;

/** A copy that agrees with the model on less is taken for no copy. */
const threshold = z.number().gt(0).max(1).default(0.9);

const version = z.string().regex(/^[1-9]\d{0,8}$/, 'the number of a version');

/** Body of `POST /v1/workflows/measure-extraction`. */
export const ExtractionRequest = z.strictObject({
  model: Name,
  /** Default: the champion when the workflow begins. */
  version: version.optional(),
  queries: Extraction.shape.queries.default([100, 300, 1000, 3000, 10_000]),
  answers: Extraction.shape.answers.default(['probabilities', 'labels']),
  ownSamples: Extraction.shape.ownSamples,
  step: Extraction.shape.step,
  seed: Extraction.shape.seed.default(7),
  /** Name of a preset, whose network the thief trains. */
  substitute: Name.optional(),
  training: Extraction.shape.training,
  /** Fidelity from which on a copy counts as one; decides the budget, not the curve. */
  threshold,
});
export type ExtractionRequest = z.infer<typeof ExtractionRequest>;

/** Workflow input: the request resolved, and who asked. */
export const ExtractionInput = z.strictObject({
  model: Name,
  version: version.optional(),
  extraction: Extraction,
  threshold,
  /** Subject of the token. */
  requestedBy: z.string(),
  tenant: z.string().default('default'),
});
export type ExtractionInput = z.infer<typeof ExtractionInput>;

/** One substitute. Intervals are 95 %. */
export const ExtractionPoint = z.strictObject({
  answers: AnswerKind,
  queries: z.int(),
  /** Of the queries, those that were made of others. */
  made: z.int(),
  /** Share of the unseen samples that substitute and model put into the same class. */
  fidelity: MetricInterval,
  /** Share that the substitute puts into the right class. */
  accuracy: MetricInterval,
  /** On the device. */
  seconds: z.number(),
});
export type ExtractionPoint = z.infer<typeof ExtractionPoint>;

export const ExtractionCurve = z.strictObject({
  points: z.array(ExtractionPoint).min(1),
  /** Samples that fidelity and accuracy were measured on; none of them was a query. */
  evaluated: z.int(),
  /** Samples that the thief had. */
  ownSamples: z.int(),
  /** Name of the substitute's network. */
  substitute: z.string(),
  /** Of the model, on the same samples. */
  modelAccuracy: MetricInterval,
  deviceClass: z.string(),
});
export type ExtractionCurve = z.infer<typeof ExtractionCurve>;

/** The largest measured number of queries below which no copy reaches the threshold. */
export const ExtractionBudget = z.strictObject({
  answers: AnswerKind,
  threshold: z.number(),
  /** Absent: the smallest measured number already gives a copy. */
  budgetRows: z.int().optional(),
  /** False: no measured number gives a copy, so that more than the budget may be harmless, too. */
  reached: z.boolean(),
});
export type ExtractionBudget = z.infer<typeof ExtractionBudget>;

/** Result of the workflow. */
export const ExtractionResult = z.strictObject({
  /** Nothing is asked for that could be missed, so `rejected` does not come. */
  outcome: z.enum(['completed', 'rejected', 'cancelled']),
  reasons: z.array(z.string()),
  model: Name,
  threshold: z.number(),
  version: z.string().optional(),
  digest: Sha256.optional(),
  curve: ExtractionCurve.optional(),
  /** One for each kind of answer. */
  budgets: z.array(ExtractionBudget).optional(),
  report: z.strictObject({ json: ArtifactRef, markdown: ArtifactRef, plot: ArtifactRef }).optional(),
  mlflow: z.strictObject({ experimentId: z.string(), runId: z.string() }).optional(),
});
export type ExtractionResult = z.infer<typeof ExtractionResult>;

/** One row of `GET /v1/extractions`. */
export const ExtractionRecord = z.strictObject({
  id: z.int(),
  model: Name,
  version: z.string(),
  digest: Sha256,
  configSha256: Sha256,
  extraction: Extraction,
  curve: ExtractionCurve,
  workflowId: z.string(),
  runId: z.string(),
  mlflowRunId: z.string(),
  at: z.string(),
});
export type ExtractionRecord = z.infer<typeof ExtractionRecord>;

/** Where a budget comes from: enough to find the curve and to work it out again. */
export const BudgetSource = z.strictObject({
  /** Of the row of `GET /v1/extractions`. */
  curve: z.int(),
  version: z.string(),
  workflowId: z.string(),
  runId: z.string(),
  answers: AnswerKind,
  threshold: z.number(),
});
export type BudgetSource = z.infer<typeof BudgetSource>;

const choice = {
  /** Default: the kind that allows less. */
  answers: AnswerKind.optional(),
};

export const BudgetQuery = z.strictObject({
  ...choice,
  threshold: z.coerce.number<string | number>().gt(0).max(1).default(0.9),
});
export type BudgetQuery = z.infer<typeof BudgetQuery>;

export const BudgetChoice = z.strictObject({ ...choice, threshold });
export type BudgetChoice = z.infer<typeof BudgetChoice>;

/** Answer of `GET /v1/models/{name}/budget`, from the newest curve of the model. */
export const BudgetSuggestion = z.object({
  model: Name,
  /** Absent: the smallest measured number of queries already gives a copy. */
  budgetRows: z.int().optional(),
  reached: z.boolean(),
  source: BudgetSource,
  measuredAt: z.string(),
  /** Of the kind of answers that was chosen. */
  points: z.array(ExtractionPoint),
});
export type BudgetSuggestion = z.infer<typeof BudgetSuggestion>;

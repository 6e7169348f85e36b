import { z } from 'zod';
import { PreparedColumn } from './prepared-data.ts';
import { ArtifactRef, Name, Sha256 } from './reference.ts';
import { EvaluationSummary } from './train-register-deploy.ts';

/** Paths inside a signed model folder. */
export const MODEL_FILES = {
  /** The graph that is served. */
  onnx: 'model.onnx',
  /** The network it was exported from (contracts/model-config.ts). */
  config: 'model-config.json',
  /** In place of the network, for a model from elsewhere (`ImportFacts`, contracts/import-model.ts). */
  import: 'import.json',
  /** {@link ModelFacts}. */
  facts: 'model-facts.json',
  /** Croissant card of the data set it was trained on. */
  card: 'data-card.json',
} as const;

/** Name of the Sigstore bundle beside the files that it signs. */
export const SIGNATURE_FILE = 'model.sig';

/** Where the mirror in MLflow keeps the signed folder, below the files of the logged model. */
export const MIRROR_FOLDER = 'signed';

const facts = {
  model: Name,
  dataset: Name,
  /** Digests of the data card and of the data it names. */
  cardSha256: Sha256,
  dataSha256: Sha256,
  /** None for a regression. */
  labels: z.array(z.string()),
  evaluation: EvaluationSummary,
  /** Comparison of the graph with the trained network, or with the file that was sent: max |Δ| over so many samples. */
  export: z.strictObject({ maxAbsDifference: z.number(), samples: z.int() }),
};

const SampleFacts = z.strictObject({
  version: z.literal(1),
  ...facts,
  /** Shape of one sample; values are raw, the graph preprocesses. */
  input: z.strictObject({
    name: Name,
    shape: z.array(z.int().min(1)),
    /** Smallest and largest value that a sample can hold; absent in versions registered before it was kept. */
    range: z.tuple([z.number(), z.number()]).optional(),
    /** Of all numbers of the training split together. */
    statistics: z.strictObject({ mean: z.number(), deviation: z.number().gt(0) }).optional(),
  }),
});

const TableFacts = z.strictObject({
  version: z.literal(2),
  ...facts,
  /** The named features that the graph takes raw, one input each. */
  columns: z.array(PreparedColumn).min(1),
  /** Spellings of a missing value besides the empty one. */
  missing: z.array(z.string()),
  /** What a regression predicts. */
  target: z.strictObject({ name: z.string(), unit: z.string().optional() }).optional(),
});
export type TableFacts = z.infer<typeof TableFacts>;

/**
 * What is signed about a model besides its graph: version 1 for tensors, 2 for tables. The same training gives the same
 * facts, hence the same digest.
 */
export const ModelFacts = z.discriminatedUnion('version', [SampleFacts, TableFacts]);
export type ModelFacts = z.infer<typeof ModelFacts>;

/** One registered version: files are verified against `signature` before anything loads them. */
export const ModelVersion = z.object({
  model: Name,
  version: z.string(),
  /** Root digest of the OpenSSF Model Signing statement (all files of the model folder). */
  digest: Sha256,
  /** Path inside the model folder → bytes. */
  files: z.record(z.string(), ArtifactRef),
  /** Sigstore bundle v0.3 over the folder. */
  signature: ArtifactRef,
  mlflowRunId: z.string(),
  workflowId: z.string(),
  metrics: z.record(z.string(), z.number()),
  createdAt: z.string(),
});
export type ModelVersion = z.infer<typeof ModelVersion>;

/** One row of the append-only alias log; `version` is absent when the alias was taken away. */
export const AliasEvent = z.object({
  id: z.int(),
  model: Name,
  alias: Name,
  version: z.string().optional(),
  digest: Sha256.optional(),
  workflowId: z.string(),
  actor: z.string(),
  reason: z.string(),
  at: z.string(),
});
export type AliasEvent = z.infer<typeof AliasEvent>;

/** Stages of `rolloutModel`, in order. A rollback goes straight to `champion`. */
export const ROLLOUT_STAGES = ['challenger', 'verifyChallenger', 'champion', 'verifyChampion'] as const;
export const RolloutStage = z.enum(ROLLOUT_STAGES);
export type RolloutStage = z.infer<typeof RolloutStage>;

/** Input of `rolloutModel`: bring `version` to `champion`, or bring the former champion back. */
export const RolloutInput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('promote'), model: Name, version: z.string(), requestedBy: z.string() }),
  z.strictObject({
    kind: z.literal('rollback'),
    model: Name,
    /** Default: the champion before the present one. */
    toVersion: z.string().optional(),
    reason: z.string().max(500),
    requestedBy: z.string(),
  }),
]);
export type RolloutInput = z.infer<typeof RolloutInput>;

export const RolloutResult = z.strictObject({
  outcome: z.enum(['completed', 'rejected', 'cancelled']),
  reasons: z.array(z.string()),
  model: Name,
  champion: z.string().optional(),
  formerChampion: z.string().optional(),
});
export type RolloutResult = z.infer<typeof RolloutResult>;

/** Body of `POST /v1/workflows/rollback` and `/v1/workflows/rollout`. */
export const RollbackRequest = z.strictObject({
  model: Name,
  toVersion: z.string().optional(),
  reason: z.string().min(1).max(500).default('requested'),
});
export const RolloutRequest = z.strictObject({ model: Name, version: z.string().min(1).max(32) });

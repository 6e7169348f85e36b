import { z } from 'zod';
import { ArtifactRef, Name, Sha256 } from './reference.ts';
import { Role } from './roles.ts';
import { Outcome } from './progress.ts';

/** Stages of `batchScore`, in order. */
export const SCORE_STAGES = ['pin', 'plan', 'score', 'join'] as const;
export const ScoreStage = z.enum(SCORE_STAGES);
export type ScoreStage = z.infer<typeof ScoreStage>;

/** CSV with a header line, or one JSON object a line. */
export const ScoreFormat = z.enum(['csv', 'ndjson']);
export type ScoreFormat = z.infer<typeof ScoreFormat>;

/** Most shards of a file: each is an activity in the history of its run. */
export const MAX_SHARDS = 1500;

/** Answer of `POST /v1/score-files`. */
export const ScoreUpload = z.strictObject({ sha256: Sha256, bytes: z.int() });
export type ScoreUpload = z.infer<typeof ScoreUpload>;

/** Body of `POST /v1/workflows/batch-score`. */
export const ScoreRequest = z.strictObject({
  model: Name,
  alias: Name.default('champion'),
  /** Digest that the upload was answered with. */
  upload: Sha256,
  format: ScoreFormat.default('csv'),
});
export type ScoreRequest = z.infer<typeof ScoreRequest>;

/** Workflow input. Roles and key are those of the request: limits and protections are theirs. */
export const ScoreInput = z.strictObject({
  model: Name,
  alias: Name,
  file: ArtifactRef,
  format: ScoreFormat,
  requestedBy: z.string(),
  roles: z.array(Role),
  apiKey: z.string().optional(),
  tenant: z.string(),
});
export type ScoreInput = z.infer<typeof ScoreInput>;

/** The version that scores all of a file, whatever the alias means meanwhile. */
export const PinnedModel = z.strictObject({ model: Name, version: z.string(), digest: Sha256 });
export type PinnedModel = z.infer<typeof PinnedModel>;

/** A part of a file that ends where a record ends. */
export const FilePart = z.strictObject({
  /** Bytes before it. */
  offset: z.int().nonnegative(),
  bytes: z.int().positive(),
  sha256: Sha256,
});
export type FilePart = z.infer<typeof FilePart>;

export const ScoreShard = FilePart.extend({
  /** Number of its first record, from 0, and the line of the file that this begins in, from 1. */
  record: z.int().nonnegative(),
  line: z.int().positive(),
  records: z.int().positive(),
});
export type ScoreShard = z.infer<typeof ScoreShard>;

/** How a file is scored, kept in the artifact store. */
export const ScorePlan = z.strictObject({
  version: z.literal(1),
  file: ArtifactRef,
  format: ScoreFormat,
  /** Names of the columns of CSV; none of NDJSON. */
  columns: z.array(z.string()),
  records: z.int(),
  shards: z.array(ScoreShard).min(1).max(MAX_SHARDS),
});
export type ScorePlan = z.infer<typeof ScorePlan>;

export const ScoreCounts = z.strictObject({
  records: z.int(),
  scored: z.int(),
  refused: z.int(),
  /** Of those scored: records with a value unlike those of the training. */
  outOfRange: z.int(),
});
export type ScoreCounts = z.infer<typeof ScoreCounts>;

/** NDJSON: a prediction a line, and a refused record a line with its line in the file and why. */
export const ScoredShard = z.strictObject({ predictions: ArtifactRef, refused: ArtifactRef, counts: ScoreCounts });
export type ScoredShard = z.infer<typeof ScoredShard>;

/** A line of what was refused. */
export const RefusedRecord = z.strictObject({ record: z.int(), line: z.int(), reason: z.string() });
export type RefusedRecord = z.infer<typeof RefusedRecord>;

export const ScoreResult = z.strictObject({
  outcome: Outcome.exclude(['running', 'failed']),
  reasons: z.array(z.string()),
  /** What was asked for, and what scored. */
  asked: z.string(),
  scoredBy: PinnedModel.optional(),
  input: ArtifactRef,
  shards: z.int().optional(),
  ...ScoredShard.partial().shape,
});
export type ScoreResult = z.infer<typeof ScoreResult>;

import { z } from 'zod';
import { Name, Sha256 } from './reference.ts';

/** Stages whose result follows from their key, and which cost enough to be kept. */
export const CACHED_STAGES = ['prepareData', 'train', 'evaluate', 'exportOnnx'] as const;
export const CachedStage = z.enum(CACHED_STAGES);
export type CachedStage = z.infer<typeof CachedStage>;

/** The run that made a result. */
export const StepProducer = z.strictObject({ workflowId: z.string(), runId: z.string() });
export type StepProducer = z.infer<typeof StepProducer>;

/** Stages whose results came from earlier runs. */
export const ReusedSteps = z.partialRecord(CachedStage, StepProducer);
export type ReusedSteps = z.infer<typeof ReusedSteps>;

/** Comes with the arguments of a stage whose result may be kept. */
export interface StepKeeping extends StepProducer {
  readonly tenant: string;
  /** Replaces what is kept under the same key: the stage was asked to run anew. */
  readonly refresh: boolean;
}

/** Asks for a kept result. `args` are those of the stage's activity; `prepareData` adds what `verifyDataCard` found. */
export interface StepQuery {
  readonly tenant: string;
  readonly stage: CachedStage;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface StepAnswer {
  /** Parsed and whole: every artifact that it names was read and compared with its digest. */
  readonly found?: StepProducer & { readonly output: unknown };
  /** One sentence for each entry that was dropped, because what it names is gone or was changed. */
  readonly dropped: readonly string[];
}

/** What decides the last bits beside inputs and code; the same names give the same results. */
export type StepEnvironment = Readonly<Record<string, string | number>>;

/** A kept result as it is shown. */
export const StepEntry = z.object({
  key: Sha256,
  stage: CachedStage,
  tenant: z.string(),
  workflowId: z.string(),
  runId: z.string(),
  /** Of the artifacts that the result names. */
  bytes: z.int().nonnegative(),
  /** Times that a run used it. */
  uses: z.int().nonnegative(),
  createdAt: z.string(),
  usedAt: z.string(),
  expiresAt: z.string(),
});
export type StepEntry = z.infer<typeof StepEntry>;

export const StepListQuery = z.strictObject({
  pageToken: z
    .string()
    .min(1)
    .max(4096)
    .regex(/^[\w-]+$/, 'the nextPageToken of a page')
    .optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  stage: CachedStage.optional(),
});
/** Newest use first. */
export const StepList = z.object({ entries: z.array(StepEntry), nextPageToken: z.string().optional() });
export type StepList = z.infer<typeof StepList>;

/** What a collection removed. Artifacts that something else refers to stay. */
export const StepCollection = z.object({
  entries: z.int().nonnegative(),
  /** Files that were sent and never became a data set. */
  uploads: z.int().nonnegative(),
  artifacts: z.int().nonnegative(),
  freedBytes: z.int().nonnegative(),
  keptArtifacts: z.int().nonnegative(),
});
export type StepCollection = z.infer<typeof StepCollection>;

// ---- lineage ----------------------------------------------------------------------------------------------------

/** What a run says about the version that it registered, or found to be the champion already. */
export const LineageRun = z.object({
  workflowId: z.string(),
  runId: z.string(),
  mlflowRunId: z.string(),
  /** `unchanged`: the run made exactly the bytes that were the champion already. */
  outcome: z.enum(['registered', 'unchanged']),
  dataset: Name,
  cardSha256: Sha256,
  dataSha256: Sha256,
  /** Manifest of the prepared data. */
  preparedSha256: Sha256,
  gitCommit: z.string(),
  /** Of the training's own code; absent where the worker did not say. */
  codeSha256: Sha256.optional(),
  weightsSha256: Sha256,
  onnxSha256: Sha256,
  /** Stages whose results an earlier run had made. */
  reused: ReusedSteps,
  at: z.string(),
});
export type LineageRun = z.infer<typeof LineageRun>;
export type NewLineage = Omit<LineageRun, 'at'>;

/** Everything that a version came from, and what was made of it. */
export const VersionLineage = z.object({
  model: Name,
  version: z.string(),
  digest: Sha256,
  signatureSha256: Sha256,
  workflowId: z.string(),
  mlflowRunId: z.string(),
  createdAt: z.string(),
  withdrawn: z.object({ at: z.string(), reason: z.string() }).optional(),
  aliases: z.array(z.string()),
  /** Oldest first; empty for a version from before lineage was kept. */
  runs: z.array(LineageRun),
  attacks: z.array(z.object({ workflowId: z.string(), runId: z.string(), configSha256: Sha256, at: z.string() })),
  releases: z.array(
    z.object({
      workflowId: z.string(),
      runId: z.string(),
      manifestSha256: Sha256,
      publishedAt: z.string(),
      withdrawn: z.boolean(),
    }),
  ),
});
export type VersionLineage = z.infer<typeof VersionLineage>;

const term = z
  .string()
  .min(4)
  .max(200)
  .regex(/^[\w.:@-]+$/, 'letters, digits and ".", "_", ":", "@", "-"');

/** Backwards: which versions came from this? Exactly one field; digests and commits may be shortened to 7 digits. */
export const LineageQuery = z
  .strictObject({
    /** Digest of the data, of its card or of the prepared data. */
    data: term.optional(),
    /** Commit or digest of the code. */
    code: term.optional(),
    /** A workflow, one of its runs, or an MLflow run; also one whose stages were reused. */
    run: term.optional(),
    /** Workflow or manifest digest of a release. */
    release: term.optional(),
    /** Of the signed folder, the graph, the weights or the signature. */
    digest: term.optional(),
  })
  .refine((query) => Object.values(query).filter((value) => value !== undefined).length === 1, {
    message: 'exactly one of data, code, run, release and digest is needed',
    path: ['data'],
  });
export type LineageQuery = z.infer<typeof LineageQuery>;

/** Newest first, at most 100. */
export const LineageAnswer = z.object({ versions: z.array(VersionLineage) });
export type LineageAnswer = z.infer<typeof LineageAnswer>;

import { z } from 'zod';
import { ArtifactRef, Name } from './reference.ts';

const Split = z.strictObject({
  /** Raw samples, row-major, of `input.dtype`; of a table one number for each of its columns. */
  x: ArtifactRef,
  /** Class indices, little-endian int32; targets of a regression, little-endian float32. */
  y: ArtifactRef,
  count: z.int().min(1),
});

const common = {
  dataset: Name,
  seed: z.int(),
  validationShare: z.number(),
  /** x' = x * scale + offset, per entry of the last axis or one entry for all; fitted on the training split only. */
  preprocessing: z.strictObject({
    kind: z.literal('affine'),
    scale: z.array(z.number()).min(1),
    offset: z.array(z.number()).min(1),
  }),
  splits: z.strictObject({ train: Split, validation: Split, test: Split }),
};

export const PreparedSamples = z.strictObject({
  version: z.literal(1),
  input: z.strictObject({
    name: Name,
    /** Shape of one sample, e.g. [28, 28, 1]. */
    shape: z.array(z.int().min(1)).min(1).max(4),
    dtype: z.enum(['uint8', 'float32']),
  }),
  labels: z.array(z.string()).min(2),
  ...common,
});

export type PreparedSamples = z.infer<typeof PreparedSamples>;

/**
 * A feature of a prepared table: how its cell became a number, and how that number becomes what the network sees.
 * Everything that was fitted was fitted on the training split only.
 */
export const PreparedColumn = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('numeric'),
    name: z.string(),
    integer: z.boolean(),
    /** Smallest and largest value seen; absent where none was. */
    range: z.tuple([z.number(), z.number()]).optional(),
    /** What stands for a missing value, the median; absent where none may be missing. Missing is stored as NaN. */
    imputed: z.number().optional(),
  }),
  /** Stored 1 for `truthy`, 0 for `falsy`, NaN for missing; a nullable one has a second entry for "missing". */
  z.strictObject({
    kind: z.literal('boolean'),
    name: z.string(),
    truthy: z.string(),
    falsy: z.string(),
    nullable: z.boolean(),
  }),
  /** Stored as index, -1 for an unknown category, NaN for missing; one entry a category, a nullable one has one more. */
  z.strictObject({
    kind: z.literal('categorical'),
    name: z.string(),
    categories: z.array(z.string()),
    nullable: z.boolean(),
  }),
]);
export type PreparedColumn = z.infer<typeof PreparedColumn>;

/** A quantity to predict. Networks are trained on (y - mean) / scale; what they give is turned back. */
export const RegressionTarget = z.strictObject({
  name: z.string(),
  unit: z.string().optional(),
  /** Of the training split. */
  mean: z.number(),
  scale: z.number().gt(0),
});
export type RegressionTarget = z.infer<typeof RegressionTarget>;

const PreparedTable = z.strictObject({
  version: z.literal(2),
  input: z.strictObject({
    name: Name,
    /** Number of entries that the columns are encoded to. */
    shape: z.tuple([z.int().min(1)]),
    dtype: z.literal('float32'),
  }),
  columns: z.array(PreparedColumn).min(1),
  /** Spellings of a missing value besides the empty one. */
  missing: z.array(z.string()),
  /** None for a regression. */
  labels: z.array(z.string()),
  regression: RegressionTarget.optional(),
  ...common,
});
export type PreparedTable = z.infer<typeof PreparedTable>;

/**
 * What `prepareData` writes and training, evaluation and export read. Samples stay raw: encoding and preprocessing are
 * applied by the consumer, so that the exported graph holds the same arithmetic. Version 1 is tensors, 2 tables.
 */
export const PreparedManifest = z.discriminatedUnion('version', [PreparedSamples, PreparedTable]);
export type PreparedManifest = z.infer<typeof PreparedManifest>;

/** What the network has to predict; absent for classes. */
export function regressionOf(manifest: PreparedManifest): RegressionTarget | undefined {
  return manifest.version === 2 ? manifest.regression : undefined;
}

/** Columns of a table; absent where samples are tensors. */
export function columnsOf(manifest: PreparedManifest): readonly PreparedColumn[] | undefined {
  return manifest.version === 2 ? manifest.columns : undefined;
}

/** Numbers that the network gives for one sample: one logit a class, or the one predicted quantity. */
export function outputsOf(manifest: PreparedManifest): number {
  return regressionOf(manifest) === undefined ? manifest.labels.length : 1;
}

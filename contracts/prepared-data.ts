import { z } from 'zod';
import { ArtifactRef, Name } from './reference.ts';

const Split = z.strictObject({
  /** Raw samples, row-major, of `input.dtype`. */
  x: ArtifactRef,
  /** Class indices, little-endian int32. */
  y: ArtifactRef,
  count: z.int().min(1),
});

/** What `prepareData` writes and training, evaluation and export read. Samples stay raw: preprocessing is applied by
 * the consumer, so that the exported graph holds the same arithmetic. */
export const PreparedManifest = z.strictObject({
  version: z.literal(1),
  dataset: Name,
  seed: z.int(),
  validationShare: z.number(),
  input: z.strictObject({
    name: Name,
    /** Shape of one sample, e.g. [28, 28, 1]. */
    shape: z.array(z.int().min(1)).min(1).max(4),
    dtype: z.enum(['uint8', 'float32']),
  }),
  labels: z.array(z.string()).min(2),
  /** x' = x * scale + offset, per entry of the last axis or one entry for all; fitted on the training split only. */
  preprocessing: z.strictObject({
    kind: z.literal('affine'),
    scale: z.array(z.number()).min(1),
    offset: z.array(z.number()).min(1),
  }),
  splits: z.strictObject({ train: Split, validation: Split, test: Split }),
});
export type PreparedManifest = z.infer<typeof PreparedManifest>;

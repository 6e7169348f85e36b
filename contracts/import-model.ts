import { z } from 'zod';
import { ArtifactRef, Name, Sha256 } from './reference.ts';
import { ReleaseOrder, ReleaseWish, TrainGates, TrainResult } from './train-register-deploy.ts';

/** Stages of `importModel`, in order; from `gates` on they are those of a training. */
export const IMPORT_STAGES = [
  'scan',
  'verifyDataCard',
  'prepareData',
  'adapt',
  'evaluate',
  'logRun',
  'gates',
  'approval',
  'signModel',
  'registerVersion',
  'rollout',
] as const;
export const ImportStage = z.enum(IMPORT_STAGES);
export type ImportStage = z.infer<typeof ImportStage>;

const text = (most: number): z.ZodString => z.string().trim().min(1).max(most);
const valueName = z.string().min(1).max(512);
const perChannel = z.array(z.number()).min(1).max(64);

/**
 * What the importer says of a model: how to feed it, how to read its answers, and where it comes from. The first two are
 * checked against the graph and the test set; the last is kept as a declaration.
 */
export const ModelCard = z.strictObject({
  name: Name,
  description: text(500).optional(),
  /** Data set of the platform that it is measured on; its shape and labels are what is served. */
  dataset: Name,
  input: z.strictObject({
    /**
     * Order of the axes behind the batch: all values in a row, [height, width, channels], [channels, height, width]. Of a
     * table `flat` is one row of encoded entries (docs/import.md), and `columns` one input a column, by its name.
     */
    layout: z.enum(['flat', 'channels-last', 'channels-first', 'columns']).default('flat'),
    /** x' = x * scale + offset of a raw value, one entry for all channels or one each; not for `columns`. */
    scale: perChannel.default([1]),
    offset: perChannel.default([0]),
  }),
  output: z.strictObject({
    /** Output of the graph, [batch, classes]; or the one that a ZipMap makes of such probabilities. */
    name: valueName,
    /** `quantity`: what a regression predicts, [batch, 1] or [batch], in the unit of the target. */
    kind: z.enum(['probabilities', 'logits', 'quantity']),
    /** Output with the predicted class, where there is one: it must agree with the largest probability. */
    label: valueName.optional(),
  }),
  /** Labels of the data set in the order of the graph's columns; default: the data set's own order. */
  labels: z.array(z.string().max(256)).min(2).max(1000).optional(),
  framework: z.strictObject({ name: text(64), version: text(64).optional() }),
  /** Where the file comes from: an address, or words. */
  source: text(500),
  licence: text(200),
  intendedUse: text(2000),
  limitations: text(2000).optional(),
  /** What it was trained on, as far as the importer knows. The platform did not see it. */
  trainingData: text(2000),
});
export type ModelCard = z.infer<typeof ModelCard>;

/** A value of a graph as its file declares it; a free axis is a name or `?`. */
export const ValueSummary = z.strictObject({
  name: z.string(),
  type: z.string(),
  shape: z.array(z.union([z.int(), z.string()])).optional(),
});
export type ValueSummary = z.infer<typeof ValueSummary>;

/** What the structural scan of an ONNX file found. */
export const ScanReport = z.strictObject({
  bytes: z.int(),
  irVersion: z.int(),
  producer: z.string(),
  opsets: z.array(z.strictObject({ domain: z.string(), version: z.int() })),
  operators: z.array(z.strictObject({ domain: z.string(), name: z.string(), count: z.int() })),
  nodes: z.int(),
  tensors: z.int(),
  /** Elements of all tensors. */
  elements: z.int(),
  inputs: z.array(ValueSummary),
  outputs: z.array(ValueSummary),
});
export type ScanReport = z.infer<typeof ScanReport>;

/** `import.json` in the signed folder of a model from elsewhere. */
export const ImportFacts = z.strictObject({
  version: z.literal(1),
  card: ModelCard,
  /** The file that was sent; the graph that is served wraps it. */
  original: ArtifactRef,
  scan: ScanReport,
  importedBy: z.string(),
});
export type ImportFacts = z.infer<typeof ImportFacts>;

/** Answer of `POST /v1/models/imports`. */
export const ModelUpload = z.strictObject({ sha256: Sha256, bytes: z.int() });
export type ModelUpload = z.infer<typeof ModelUpload>;

/** Body of `POST /v1/workflows/import-model`. */
export const ImportRequest = z.strictObject({
  /** Digest that the upload was answered with. */
  upload: Sha256,
  card: ModelCard,
  gates: TrainGates.omit({ robustness: true }).partial().optional(),
  ...ReleaseWish.shape,
});
export type ImportRequest = z.infer<typeof ImportRequest>;

/** Workflow input. */
export const ImportInput = z.strictObject({
  file: ArtifactRef,
  card: ModelCard,
  /** Of the split of the data set and of the bootstrap. */
  seed: z.int(),
  ...ReleaseOrder.shape,
});
export type ImportInput = z.infer<typeof ImportInput>;

export const ImportResult = TrainResult.omit({ weightsSha256: true }).extend({ scan: ScanReport.optional() });
export type ImportResult = z.infer<typeof ImportResult>;

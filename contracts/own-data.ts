import { z } from 'zod';
import { Timestamp } from './api.ts';
import { ArtifactRef, Name, Sha256 } from './reference.ts';
import { TableProfile } from './table-profile.ts';

/** As long as a paragraph. */
const text = z.string().trim().min(1).max(4000);
const texts = z.array(text).max(50).default([]);
const columnName = z.string().trim().min(1).max(128);

/** What a person says about a table; everything else is read out of it. */
export const TableOptions = z.strictObject({
  target: columnName,
  /** Default: classification for booleans, categories and at most 20 different whole numbers, else regression. */
  task: z.enum(['classification', 'regression']).optional(),
  /** Decides what a column is; `drop` leaves it out. */
  columns: z.record(columnName, z.enum(['numeric', 'categorical', 'boolean', 'drop'])).default({}),
  /** Cells that mean "no value", besides the empty one; default: `NA`, `N/A`, `NaN`, `nan`, `null`, `NULL`, `?`. */
  missing: z.array(z.string().trim().min(1).max(64)).max(50).optional(),
  /** Default: the one of `,`, `;`, tab and `|` that divides the first line into most cells. */
  delimiter: z
    .string()
    .length(1)
    .regex(/^[^"\r\n\0]$/, 'one character other than a quote or the end of a line')
    .optional(),
  /** Unit of a regression's target. */
  unit: z.string().trim().min(1).max(64).optional(),
});
export type TableOptions = z.infer<typeof TableOptions>;

/** What only a person can say of a data set. What is not said is written down as not stated. */
export const CardOptions = z.strictObject({
  /** Identifier of the SPDX licence list, or a URL. */
  licence: z.string().trim().min(1).max(500),
  description: text,
  creators: z
    .array(z.strictObject({ type: z.enum(['Person', 'Organization']), name: z.string().trim().min(1).max(200) }))
    .min(1)
    .max(50),
  /** Page of the data set. */
  url: z
    .url({ protocol: /^https?$/ })
    .max(2000)
    .optional(),
  published: z.iso.date().optional(),
  copyright: text.optional(),
  citation: text.optional(),
  /** Where the data came from: URLs, or names of data sets. */
  sources: z.array(z.string().trim().min(1).max(2000)).max(50).default([]),
  collection: text.optional(),
  uses: texts,
  limitations: texts,
  biases: texts,
  personal: texts,
  /** Further properties of Croissant, schema.org and RAI, which pass through untouched. */
  properties: z.record(z.string().min(1).max(128), z.json()).default({}),
});
export type CardOptions = z.infer<typeof CardOptions>;

/** Name of a file in a card: a plain name without folders. */
export const FileName = z
  .string()
  .min(1)
  .max(128)
  .regex(/^(?!\.\.?$)[\w.-]+$/, 'letters, digits, ".", "_" and "-"');

/** Answer of `POST /v1/datasets/uploads`. */
export const Upload = z.strictObject({ sha256: Sha256, bytes: z.int().nonnegative() });
export type Upload = z.infer<typeof Upload>;

/** Body of `POST /v1/datasets`. */
export const AddDatasetRequest = z.strictObject({
  name: Name,
  /** Of the uploaded file. */
  upload: Sha256,
  /** What the file is called in the card and in messages. */
  file: FileName.default('data.csv'),
  table: TableOptions,
  card: CardOptions,
});
export type AddDatasetRequest = z.infer<typeof AddDatasetRequest>;

/** A version of a data set that somebody added. */
export const AddedDataset = z.strictObject({
  name: Name,
  version: z.int().min(1),
  tenant: z.string(),
  card: ArtifactRef,
  file: ArtifactRef,
  profile: ArtifactRef,
  addedBy: z.string(),
  addedAt: Timestamp,
  withdrawn: z.strictObject({ at: Timestamp, reason: z.string() }).optional(),
});
export type AddedDataset = z.infer<typeof AddedDataset>;

/** Answer of `POST /v1/datasets`: the version, new or found, and what was measured. */
export const AddDatasetResult = z.strictObject({
  dataset: AddedDataset,
  /** False where the same file with the same card is there already. */
  created: z.boolean(),
  profile: TableProfile,
});
export type AddDatasetResult = z.infer<typeof AddDatasetResult>;

export const DatasetProfileView = z.strictObject({ name: Name, version: z.int(), profile: TableProfile });
export type DatasetProfileView = z.infer<typeof DatasetProfileView>;

export const WithdrawQuery = z.strictObject({
  reason: z.string().trim().min(1).max(500).default('withdrawn on request'),
});

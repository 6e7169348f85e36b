import { z } from 'zod';
import { Sha256 } from './reference.ts';

const share = z.number().min(0).max(1);

const NumberProfile = z.strictObject({
  min: z.number(),
  max: z.number(),
  mean: z.number(),
  /** Of the sample (n - 1). */
  std: z.number().nonnegative(),
  q1: z.number(),
  median: z.number(),
  q3: z.number(),
  /** Values outside of q1 - 3 (q3 - q1) to q3 + 3 (q3 - q1). */
  outliers: z.int().nonnegative(),
});
export type NumberProfile = z.infer<typeof NumberProfile>;

export const ColumnProfile = z.strictObject({
  name: z.string(),
  role: z.enum(['feature', 'target', 'left-out']),
  kind: z.enum(['numeric', 'boolean', 'categorical']).optional(),
  /** Why it is left out. */
  reason: z.string().optional(),
  values: z.int().nonnegative(),
  missing: z.int().nonnegative(),
  /** Different values; absent where there are over 1,000. */
  distinct: z.int().nonnegative().optional(),
  numbers: NumberProfile.optional(),
  /** The most frequent values of a column that is not numeric. */
  top: z.array(z.strictObject({ value: z.string(), count: z.int() })).optional(),
  /** How well the column alone tells the target. */
  association: z
    .strictObject({
      measure: z.enum(['lambda', 'pearson']),
      /** -1..1 */
      value: z.number(),
    })
    .optional(),
});
export type ColumnProfile = z.infer<typeof ColumnProfile>;

export const TableWarning = z.strictObject({
  kind: z.enum([
    'delimiter',
    'missing',
    'constant',
    'identifier',
    'outliers',
    'imbalance',
    'small-class',
    'duplicates',
    'conflicts',
    'leak',
    'formula',
  ]),
  column: z.string().optional(),
  message: z.string(),
});
export type TableWarning = z.infer<typeof TableWarning>;

/** What was measured of a table; kept beside its card. */
export const TableProfile = z.strictObject({
  version: z.literal(1),
  /** Of the CSV file. */
  sha256: Sha256,
  bytes: z.int().nonnegative(),
  rows: z.int().min(1),
  columns: z.array(ColumnProfile),
  /** Label → rows, in the order of the class index. */
  balance: z.array(z.strictObject({ label: z.string(), count: z.int(), share })).optional(),
  duplicates: z.strictObject({
    /** Rows whose features and target an earlier row has. */
    exact: z.int().nonnegative(),
    /** Rows whose features an earlier row has, with another target. */
    conflicting: z.int().nonnegative(),
    /** False where there were more different rows than are remembered: both counts are then lower bounds. */
    complete: z.boolean(),
  }),
  warnings: z.array(TableWarning),
});
export type TableProfile = z.infer<typeof TableProfile>;

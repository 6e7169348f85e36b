import { z } from 'zod';

const columnName = z.string().trim().min(1).max(128);
const column = {
  name: columnName,
  /** Empty cells occur, or may occur: the graph then imputes (median of a number, a category of its own otherwise). */
  nullable: z.boolean().default(false),
};

/** A feature of a table as people know it: its name in the file and what its cells hold. */
export const TableColumn = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('numeric'), integer: z.boolean().default(false), ...column }),
  /** The two spellings in the file, e.g. `yes` and `no`. */
  z.strictObject({ kind: z.literal('boolean'), truthy: z.string(), falsy: z.string(), ...column }),
  /** Categories in a fixed order; a value outside of them is encoded as none of them. */
  z.strictObject({ kind: z.literal('categorical'), categories: z.array(z.string()).min(1).max(1000), ...column }),
]);
export type TableColumn = z.infer<typeof TableColumn>;

export const TableTarget = z.discriminatedUnion('task', [
  /** `labels` in the order of their class index. */
  z.strictObject({ task: z.literal('classification'), name: columnName, labels: z.array(z.string()).min(2).max(1000) }),
  z.strictObject({ task: z.literal('regression'), name: columnName, unit: z.string().optional() }),
]);
export type TableTarget = z.infer<typeof TableTarget>;

/**
 * What the CSV file of a tabular data set means; a data card carries it as `saip:table`. The file's other columns are
 * left out of training.
 */
export const TableSchema = z.strictObject({
  /** `@id` of the card's file. */
  file: z.string().min(1),
  features: z.array(TableColumn).min(1).max(2000),
  target: TableTarget,
  /** Cells that mean "no value", besides the empty one. */
  missing: z.array(z.string()).default([]),
  delimiter: z.string().length(1).default(','),
});
export type TableSchema = z.infer<typeof TableSchema>;

import { z } from 'zod';
import { TableTarget } from '../../../contracts/table.ts';

const columnName = z.string().trim().min(1).max(128);

/** What a person says about a table; everything else is read out of it. */
export const TableOptions = z.strictObject({
  target: columnName,
  /** Default: classification for booleans, categories and at most 20 different whole numbers, else regression. */
  task: z.enum(['classification', 'regression']).optional(),
  /** Decides what a column is; `drop` leaves it out. */
  columns: z.record(columnName, z.enum(['numeric', 'categorical', 'boolean', 'drop'])).default({}),
  /** Cells that mean "no value", besides the empty one; default: `NA`, `N/A`, `NaN`, `nan`, `null`, `NULL`, `?`. */
  missing: z.array(z.string().min(1).max(64)).max(50).optional(),
  /** Default: the one of `,`, `;`, tab and `|` that divides the first line into most cells. */
  delimiter: z.string().length(1).optional(),
  /** Unit of a regression's target. */
  unit: z.string().trim().min(1).max(64).optional(),
});
export type TableOptions = z.infer<typeof TableOptions>;
export type TableTask = TableTarget['task'];

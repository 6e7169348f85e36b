import { SaipError } from '../../contracts/errors.ts';
import type { ErrorOptions } from '../../contracts/errors.ts';

export type DatasetErrorCode =
  | 'DATASET_UNKNOWN'
  | 'DATASET_CARD_INVALID'
  | 'DATASET_FILE_MISSING'
  | 'DATASET_DIGEST_MISMATCH'
  | 'DATASET_CELL_INVALID'
  | 'DATASET_SPLIT_INVALID'
  | 'DATASET_TABLE_INVALID'
  | 'DATASET_NAME_TAKEN';

/** One of several things that are wrong; `field` says where, such as `people.csv line 7, column "age"`. */
export interface DatasetProblem {
  readonly field: string;
  readonly message: string;
}

export interface DatasetErrorOptions extends ErrorOptions {
  readonly problems?: readonly DatasetProblem[];
}

/** `field` holds the card's field (`license`, `distribution[0].sha256`) or the data file at fault. */
export class DatasetError extends SaipError<DatasetErrorCode> {
  override readonly name = 'DatasetError';
  /** Everything that is wrong, where the message tells of several things. */
  readonly problems: readonly DatasetProblem[] | undefined;

  constructor(code: DatasetErrorCode, message: string, options: DatasetErrorOptions = {}) {
    super(code, message, options);
    this.problems = options.problems;
  }
}

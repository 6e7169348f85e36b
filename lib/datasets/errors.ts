import { SaipError } from '../../contracts/errors.ts';

export type DatasetErrorCode =
  | 'DATASET_UNKNOWN'
  | 'DATASET_CARD_INVALID'
  | 'DATASET_FILE_MISSING'
  | 'DATASET_DIGEST_MISMATCH'
  | 'DATASET_SPLIT_INVALID';

/** `field` holds the card's field (`license`, `distribution[0].sha256`) or the data file at fault. */
export class DatasetError extends SaipError<DatasetErrorCode> {
  override readonly name = 'DatasetError';
}

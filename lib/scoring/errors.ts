import { SaipError } from '../../contracts/errors.ts';

export type ScoringErrorCode = 'SCORE_FILE_INVALID' | 'MODEL_LOAD_FAILED' | 'TENSOR_INVALID';

/** A file cannot be scored, or not by this model; `field` is the line or column at fault. */
export class ScoringError extends SaipError<ScoringErrorCode> {
  override readonly name = 'ScoringError';
}

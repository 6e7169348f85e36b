import { SaipError } from '../../contracts/errors.ts';

export type EvaluationErrorCode = 'EVALUATION_INPUT_INVALID';

/** Logits, labels or pictures do not belong together. */
export class EvaluationError extends SaipError<EvaluationErrorCode> {
  override readonly name = 'EvaluationError';
}

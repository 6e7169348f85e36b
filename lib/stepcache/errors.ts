import { SaipError } from '../../contracts/errors.ts';

export type StepCacheErrorCode = 'STEP_CODE_UNREADABLE';

/** The step cache cannot say what a stage's code is. `field` is the file at fault. */
export class StepCacheError extends SaipError<StepCacheErrorCode> {
  override readonly name = 'StepCacheError';
}

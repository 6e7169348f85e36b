import { SaipError } from '../../contracts/errors.ts';

export type AdversaryErrorCode = 'ATTACK_UNSUPPORTED' | 'ATTACK_INPUT_INVALID' | 'REQUEST_INVALID';

/** A model cannot be attacked as asked, or results do not belong together. */
export class AdversaryError extends SaipError<AdversaryErrorCode> {
  override readonly name = 'AdversaryError';
}

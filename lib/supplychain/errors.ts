import { SaipError } from '../../contracts/errors.ts';

export type SupplyChainErrorCode = 'SIGNATURE_MISSING' | 'SIGNATURE_INVALID';

/** A model may not be used. `field` is the file at fault, where one file is. */
export class SupplyChainError extends SaipError<SupplyChainErrorCode> {
  override readonly name = 'SupplyChainError';
}

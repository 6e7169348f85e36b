import { SaipError } from '../../contracts/errors.ts';

export type SupplyChainErrorCode = 'SIGNATURE_MISSING' | 'SIGNATURE_INVALID' | 'SIGNATURE_UNTRUSTED';

/** A model or a statement may not be used. `field` is the file at fault, where one file is. */
export class SupplyChainError extends SaipError<SupplyChainErrorCode> {
  override readonly name = 'SupplyChainError';
}

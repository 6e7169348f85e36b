import { SaipError, type ErrorOptions } from '../../contracts/errors.ts';

export type IdentityErrorCode =
  | 'REQUEST_INVALID'
  | 'CLIENT_CREDENTIALS_INVALID'
  | 'TOKEN_INVALID'
  | 'API_KEY_INVALID'
  | 'UNAVAILABLE'
  | 'SUBJECT_TOKEN_INVALID'
  | 'TOKEN_EXCHANGE_OFF'
  | 'IDENTITY_PROVIDER_UNAVAILABLE'
  | 'APPROVAL_INVALID'
  | 'APPROVAL_SAME_PERSON'
  | 'APPROVAL_SUBJECT_MISMATCH';

/** Why a credential was refused, for counters: a closed set, never the caller's words. */
export type Refusal =
  | ('algorithm' | 'audience' | 'claims' | 'expired' | 'header' | 'issuer' | 'key')
  | ('malformed' | 'revoked' | 'signature' | 'type' | 'unknown');

export class IdentityError extends SaipError<IdentityErrorCode> {
  override readonly name = 'IdentityError';
  readonly reason: Refusal | undefined;

  constructor(code: IdentityErrorCode, message: string, options: ErrorOptions & { readonly reason?: Refusal } = {}) {
    super(code, message, options);
    this.reason = options.reason;
  }
}

import { SaipError } from '../../contracts/errors.ts';

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

export class IdentityError extends SaipError<IdentityErrorCode> {
  override readonly name = 'IdentityError';
}

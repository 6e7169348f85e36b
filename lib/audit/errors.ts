import { SaipError } from '../../contracts/errors.ts';

export type AuditErrorCode =
  'AUDIT_LOG_TAMPERED' | 'AUDIT_NOTE_INVALID' | 'AUDIT_KEY_UNTRUSTED' | 'AUDIT_RANGE_UNKNOWN' | 'AUDIT_UNAVAILABLE';

/** The log is not what was signed, cannot be read or cannot be written. `field` names the place, where one is known. */
export class AuditError extends SaipError<AuditErrorCode> {
  override readonly name = 'AuditError';
}

import { SaipError } from '../../contracts/errors.ts';

export type ReleaseErrorCode =
  | 'RELEASE_UNKNOWN'
  | 'RELEASE_EXISTS'
  | 'RELEASE_EVIDENCE_MISSING'
  | 'RELEASE_POLICY_DENIED'
  | 'RELEASE_DIGEST_MISMATCH'
  | 'RELEASE_KEY_UNTRUSTED'
  | 'RELEASE_INVALID'
  | 'SBOM_FAILED'
  | 'TOOL_MISSING';

/** A release cannot be made, or is not what it should be. `field` is the file at fault, where one file is. */
export class ReleaseError extends SaipError<ReleaseErrorCode> {
  override readonly name = 'ReleaseError';
}

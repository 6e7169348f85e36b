import { SaipError } from '../../contracts/errors.ts';

export type ArtifactErrorCode = 'ARTIFACT_NOT_FOUND' | 'ARTIFACT_DIGEST_MISMATCH' | 'ARTIFACT_WRITE_FAILED';

/** The artifact store cannot give or take the bytes; `field` is the artifact's URI where there is one. */
export class ArtifactError extends SaipError<ArtifactErrorCode> {
  override readonly name = 'ArtifactError';
}

/** The code of a failed system call, e.g. `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

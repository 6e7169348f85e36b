import { join } from 'node:path';
import { Sha256, type ArtifactRef } from '../../contracts/reference.ts';
import { ArtifactError } from './errors.ts';

const SCHEME = 'cas://sha256/';

/** @param sha256 lower-case hexadecimal */
export function uriOf(sha256: string): string {
  return SCHEME + sha256;
}

/**
 * Where the bytes of `ref` are. Only a digest becomes a path, so that no reference leads out of the store.
 * @throws ArtifactError ARTIFACT_NOT_FOUND when the URI is not one of this store, or contradicts the digest
 */
export function pathOf(root: string, ref: ArtifactRef): string {
  if (!Sha256.safeParse(ref.sha256).success || ref.uri !== uriOf(ref.sha256)) {
    throw new ArtifactError('ARTIFACT_NOT_FOUND', 'The reference does not name an artifact of this store.', {
      field: ref.uri,
    });
  }
  return blobPath(root, ref.sha256);
}

/** Two levels: a folder for each of 256 prefixes keeps listings short. */
export function blobPath(root: string, sha256: string): string {
  return join(root, 'sha256', sha256.slice(0, 2), sha256);
}

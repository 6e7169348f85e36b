import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { ArtifactError, systemCode } from './errors.ts';

/** @throws ArtifactError ARTIFACT_NOT_FOUND, ARTIFACT_DIGEST_MISMATCH */
export async function readVerified(path: string, ref: ArtifactRef): Promise<Buffer> {
  const bytes = await found(ref, () => readFile(path));
  compare(ref, { bytes: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex') });
  return bytes;
}

/** Verifies without holding the file in memory. @throws ArtifactError as {@link readVerified} */
export async function verify(path: string, ref: ArtifactRef): Promise<void> {
  const { size } = await found(ref, () => stat(path));
  const hash = createHash('sha256');
  await found(ref, async () => {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  });
  compare(ref, { bytes: size, sha256: hash.digest('hex') });
}

function compare(ref: ArtifactRef, actual: { readonly bytes: number; readonly sha256: string }): void {
  if (actual.bytes === ref.bytes && actual.sha256 === ref.sha256) return;
  const what = actual.bytes === ref.bytes ? `SHA-256 ${actual.sha256}` : `${actual.bytes} bytes, not ${ref.bytes}`;
  throw new ArtifactError('ARTIFACT_DIGEST_MISMATCH', `The stored bytes of ${ref.uri} were changed: ${what}.`, {
    field: ref.uri,
  });
}

async function found<T>(ref: ArtifactRef, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (cause) {
    // Anything else (too many open files, a failing disk) says nothing about the artifact.
    if (systemCode(cause) !== 'ENOENT') throw cause;
    throw new ArtifactError('ARTIFACT_NOT_FOUND', `${ref.uri} is not in the store.`, { cause, field: ref.uri });
  }
}

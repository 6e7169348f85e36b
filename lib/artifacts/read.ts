import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { ArtifactError, systemCode } from './errors.ts';

/** A part of an artifact, and the digest of that part. */
export interface ArtifactPart {
  readonly offset: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** Large files are read in pieces of a mebibyte. */
const CHUNK = 2 ** 20;

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

/** The bytes as they are read; the last word on them is only said at their end. @throws ArtifactError as {@link readVerified} */
export async function* streamVerified(path: string, ref: ArtifactRef): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  const file = await found(ref, () => open(path));
  let bytes = 0;
  try {
    for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: CHUNK })) {
      const piece = chunk as Buffer;
      hash.update(piece);
      bytes += piece.byteLength;
      yield piece;
    }
  } finally {
    await file.close();
  }
  compare(ref, { bytes, sha256: hash.digest('hex') });
}

/** Some bytes out of the middle, verified by a digest of their own. @throws ArtifactError as {@link readVerified} */
export async function readPart(path: string, ref: ArtifactRef, part: ArtifactPart): Promise<Buffer> {
  const file = await found(ref, () => open(path));
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(part.bytes), 0, part.bytes, part.offset);
    compare({ ...part, uri: ref.uri }, { bytes: bytesRead, sha256: createHash('sha256').update(buffer).digest('hex') });
    return buffer;
  } finally {
    await file.close();
  }
}

function compare(
  ref: Pick<ArtifactRef, 'uri' | 'bytes' | 'sha256'>,
  actual: { readonly bytes: number; readonly sha256: string },
): void {
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

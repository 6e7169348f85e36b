import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { blobPath, uriOf } from './address.ts';
import { ArtifactError, systemCode } from './errors.ts';
import { temporaryFolder, temporaryName } from './temporary.ts';

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * Streams `chunks` into the store under their own digest. The bytes are on disk, under their final name, before this
 * returns: file and folder are flushed, and the name appears in one step.
 * @throws ArtifactError ARTIFACT_WRITE_FAILED when the disk does not take them; whatever reading `chunks` throws
 */
export async function writeBlob(root: string, chunks: Chunks, mediaType: string): Promise<ArtifactRef> {
  const temporary = join(temporaryFolder(root), temporaryName(randomUUID()));
  try {
    const { sha256, bytes } = await spool(temporary, chunks);
    await publish(temporary, blobPath(root, sha256));
    return { uri: uriOf(sha256), sha256, bytes, mediaType };
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/** Writes the chunks as they come, so that memory stays flat. */
async function spool(path: string, chunks: Chunks): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await disk(() => open(path, 'wx', 0o600));
  try {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.byteLength;
      await disk(() => file.writeFile(chunk));
    }
    await disk(() => file.chmod(0o440));
    await disk(() => file.sync());
  } finally {
    await file.close();
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** Also replaces an earlier copy: if that one was damaged, storing the bytes again mends it. */
async function publish(temporary: string, path: string): Promise<void> {
  await disk(async () => {
    const created = await mkdir(dirname(path), { recursive: true, mode: 0o750 });
    await rename(temporary, path);
    await syncFolder(dirname(path));
    if (created !== undefined)
      for (const parent of [dirname(dirname(path)), dirname(created)]) await syncFolder(parent);
  });
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function disk<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (cause) {
    const code = systemCode(cause);
    const why = code === 'ENOSPC' || code === 'EDQUOT' ? 'no space is left' : (code ?? 'unknown error');
    throw new ArtifactError('ARTIFACT_WRITE_FAILED', `The artifact could not be stored: ${why}.`, { cause });
  }
}

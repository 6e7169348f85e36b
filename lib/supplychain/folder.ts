import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { SupplyChainError } from './errors.ts';
import type { FileDigests } from './statement.ts';

/**
 * Digests of every file below `folder`. Throws `SIGNATURE_INVALID` for a symbolic link or a special file, because what
 * it leads to can change after it was looked at.
 *
 * @param signatureFile the one file left out, relative to `folder`
 */
export async function hashModelFolder(folder: string, signatureFile?: string): Promise<FileDigests> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const digests = new Map<string, string>();
  for (const entry of entries) {
    const file = join(entry.parentPath, entry.name);
    const path = relative(folder, file).split(sep).join('/');
    if (entry.isDirectory() || path === signatureFile) continue;
    if (!entry.isFile()) {
      throw new SupplyChainError('SIGNATURE_INVALID', `${path} is not a regular file.`, { field: path });
    }
    digests.set(path, await sha256File(file));
  }
  return Object.fromEntries(digests);
}

async function sha256File(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

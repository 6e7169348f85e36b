import { createHash } from 'node:crypto';
import { createReadStream, globSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ChaosStack } from './chaos-stack.ts';

/** Files of the store whose bytes are not what their name says: half-written ones above all. */
export async function damagedArtifacts({ artifacts, damaged: known }: ChaosStack): Promise<string[]> {
  const damaged: string[] = [];
  for (const path of globSync(join(artifacts, 'sha256', '*', '*'))) {
    if (known.has(path)) continue;
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash);
    if (hash.digest('hex') !== basename(path)) damaged.push(path);
  }
  return damaged;
}

/** Files of this stack's processes in the temporary folders: the store's, the system's, and in shared memory. */
export function temporaryFiles(stack: ChaosStack): string[] {
  const own = [stack.temporary, join(stack.artifacts, 'tmp')];
  const files = own.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  return [...files.filter((path) => /saip-(?!ports)|@/.test(basename(path))), ...sharedMemory(stack)];
}

/** A killed process is remembered by its id, because shared memory belongs to every stack of the machine. */
function sharedMemory({ killed }: ChaosStack): string[] {
  return globSync('/dev/shm/saip-work-*/*').filter((path) => killed.has(Number.parseInt(basename(path), 10)));
}

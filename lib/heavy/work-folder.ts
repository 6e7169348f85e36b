import { randomUUID } from 'node:crypto';
import { accessSync, constants, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sweepFolder, temporaryName } from '../artifacts/index.ts';

const PREFIX = 'saip-work-';
const SHARED_MEMORY = '/dev/shm';

/** Where work folders are: on disk, and in memory. */
const BASES = (): readonly string[] => [tmpdir(), SHARED_MEMORY].filter(writable);

/**
 * A new folder for files that a heavy process reads and writes; the caller removes it. Its name tells who made it, so that
 * {@link sweepWorkFolders} finds what a killed process could not remove.
 * @param inMemory in shared memory where there is any
 */
export function makeWorkFolder({ inMemory = false } = {}): string {
  const base = inMemory && writable(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir();
  const folder = join(base, PREFIX + temporaryName(randomUUID()));
  mkdirSync(folder, { mode: 0o700 });
  return folder;
}

/** Runs `work` with a folder that is gone afterwards, and with it what children left that were killed meanwhile. */
export async function inWorkFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = makeWorkFolder();
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    sweepWorkFolders();
  }
}

/** Removes the folders of this user's processes that have died. */
export function sweepWorkFolders(): void {
  for (const base of BASES()) sweepFolder(base, PREFIX);
}

function writable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

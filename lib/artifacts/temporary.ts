import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { systemCode } from './errors.ts';

/** In the store itself: a rename is atomic only inside one file system. */
export function temporaryFolder(root: string): string {
  return join(root, 'tmp');
}

const HOST = encodeURIComponent(hostname());

/** Carries its writer, so that a sweep can tell a crash's leftovers from a write in progress. */
export function temporaryName(unique: string): string {
  return `${process.pid}@${HOST}.${unique}`;
}

/**
 * Removes what writers of this machine left in `folder`, under a {@link temporaryName}, when they died. What belongs to
 * another user stays.
 * @param prefix before the temporary name, in folders that others use too
 */
export function sweepFolder(folder: string, prefix = ''): void {
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(prefix)) continue;
    const writer = /^(\d+)@(.+)\.[0-9a-f-]{36}$/.exec(name.slice(prefix.length));
    const path = join(folder, name);
    if (writer?.[2] !== HOST || isAlive(Number(writer[1])) || !isOwn(path)) continue;
    // Another process may sweep at the same time.
    rmSync(path, { recursive: true, force: true });
  }
}

function isOwn(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, under another user.
    return systemCode(error) !== 'ESRCH';
  }
}

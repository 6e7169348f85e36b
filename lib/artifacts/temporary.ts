import { readdirSync, rmSync } from 'node:fs';
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

/** Removes what writers of this machine left in `folder`, under a {@link temporaryName}, when they died. */
export function sweepFolder(folder: string): void {
  for (const name of readdirSync(folder)) {
    const writer = /^(\d+)@(.+)\.[0-9a-f-]{36}$/.exec(name);
    if (writer?.[2] !== HOST || isAlive(Number(writer[1]))) continue;
    // Another process may sweep at the same time.
    rmSync(join(folder, name), { recursive: true, force: true });
  }
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

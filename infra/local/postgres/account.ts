import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rootDataDirectory } from '../layout.ts';
import type { StackContext } from '../service.ts';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Accounts without privileges that PostgreSQL may run under, in order of preference. */
const CANDIDATES = ['postgres', 'nobody'];

/**
 * PostgreSQL refuses to run as root.
 * @returns the account to run it under; undefined when this process is not root and needs none
 */
export async function postgresAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const entries = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const candidate of CANDIDATES) {
    const entry = entries.find(([name]) => name === candidate);
    if (entry !== undefined) return { uid: Number(entry[2]), gid: Number(entry[3]) };
  }
  throw new Error(`no account ${CANDIDATES.join(' or ')} to run PostgreSQL under`);
}

/** Folder of the database cluster. */
export function postgresData({ layout, stackId }: StackContext): string {
  const parent = process.getuid?.() === 0 ? rootDataDirectory(stackId) : layout.data;
  return join(parent, 'postgres');
}

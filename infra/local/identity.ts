import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { StackLayout } from './layout.ts';

/** @returns undefined before the first start */
export function readStackId(layout: StackLayout): string | undefined {
  try {
    return readFileSync(layout.idFile, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A name of its own for each stack: data outside the state directory and running processes carry it. */
export function ensureStackId(layout: StackLayout): string {
  const known = readStackId(layout);
  if (known !== undefined) return known;
  const id = randomBytes(6).toString('hex');
  writeFileSync(layout.idFile, `${id}\n`, { flag: 'wx' });
  return id;
}

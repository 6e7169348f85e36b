import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { existsSync } from 'node:fs';
import type { StackLayout } from '../layout.ts';
import type { Finding } from './finding.ts';

const GIB = 2 ** 30;
/** Below the first nothing can be written for long; below the second a few trainings fill the disk. */
const DISK = { error: 0.5 * GIB, warning: 5 * GIB };
/** The servers need about 1 GiB, a training up to 1.5 GiB. */
const MEMORY = { error: 0.5 * GIB, warning: 2.5 * GIB };

export async function checkDisk({ home }: StackLayout): Promise<Finding[]> {
  let folder = home;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  return [
    judge('disk', bavail * bsize, DISK, `free in ${folder}`, 'delete old data, or move SAIP_HOME to another disk'),
  ];
}

export function checkMemory(): Finding[] {
  const kib = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  const available = Number(kib ?? 0) * 1024;
  return [judge('memory', available, MEMORY, 'available', 'end other programs; training needs up to 1.5 GiB')];
}

function judge(
  check: string,
  bytes: number,
  limits: { readonly error: number; readonly warning: number },
  what: string,
  mend: string,
): Finding {
  const message = `${(bytes / GIB).toFixed(1)} GiB ${what}`;
  if (bytes < limits.error) return { check, level: 'error', message, mend };
  if (bytes < limits.warning) return { check, level: 'warning', message, mend };
  return { check, level: 'ok', message };
}

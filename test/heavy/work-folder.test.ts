import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { inWorkFolder, makeWorkFolder, sweepWorkFolders } from '../../lib/heavy/index.ts';

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder as a process would have left it that was killed. */
function leftBy(pid: number, base: string): string {
  const unique = '00000000-0000-4000-8000-000000000000';
  const folder = join(base, `saip-work-${pid}@${encodeURIComponent(hostname())}.${unique}`);
  mkdirSync(join(folder, 'inside'), { recursive: true });
  made.push(folder);
  return folder;
}

describe('a work folder', () => {
  it('is gone when the work is done, however that ended', async () => {
    const seen: string[] = [];
    await expect(
      inWorkFolder(async (folder) => {
        seen.push(folder);
        expect(readdirSync(folder)).toEqual([]);
        throw new Error('failed');
      }),
    ).rejects.toThrow('failed');
    expect(seen.map((folder) => existsSync(folder))).toEqual([false]);
  });

  it('of a process that died is swept, on disk and in memory; others stay', () => {
    const { pid: dead } = spawnSync('true');
    const own = makeWorkFolder();
    const inMemory = makeWorkFolder({ inMemory: true });
    made.push(own, inMemory);
    const left = [own, inMemory].map((folder) => leftBy(dead, dirname(folder)));
    sweepWorkFolders();
    expect(left.filter((folder) => existsSync(folder))).toEqual([]);
    expect([own, inMemory].every((folder) => existsSync(folder))).toBe(true);
  });
});

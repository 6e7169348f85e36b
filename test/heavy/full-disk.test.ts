import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { runChild } from '../../lib/heavy/index.ts';

/** Mounting is for root, and not for every container: elsewhere the words of the error are what is tested. */
function mountSmallDisk(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'saip-test', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('a child that finds its disk full', () => {
  it('fails with a code of its own, which is tried again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'saip-full-'));
    const mounted = mountSmallDisk(folder);
    try {
      // A device that is always full stands in where nothing can be mounted.
      const entry = new URL(mounted ? 'children/full-disk.ts' : 'children/full-device.ts', import.meta.url);
      const failed = runChild({ entry, input: { folder } });
      await expect(failed).rejects.toMatchObject({ code: 'DISK_FULL', spec: { retryable: true } });
    } finally {
      if (mounted) execFileSync('umount', [folder]);
      rmdirSync(folder);
    }
  });
});

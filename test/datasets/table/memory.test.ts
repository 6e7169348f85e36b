import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { z } from 'zod';

const Figures = z.object({ rows: z.number(), bytes: z.number(), growthMib: z.number() });

async function read(rows: number): Promise<z.infer<typeof Figures>> {
  const script = join(import.meta.dirname, '../../../bench/datasets/read-many.ts');
  // As little heap as it needs, so that garbage is not taken for use.
  const args = ['--disable-warning=ExperimentalWarning', '--max-old-space-size=96', script, String(rows)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Figures.parse(JSON.parse(stdout));
}

it('reads ten times the rows in about the same memory', async () => {
  const few = await read(20_000);
  const many = await read(200_000);
  expect(many.rows).toBe(200_000);
  // The digests of 180,000 more rows take 6 MiB; the file is 8 MiB longer, as strings of cells far more.
  expect(many.growthMib).toBeLessThan(few.growthMib + 48);
  expect(many.growthMib).toBeLessThan(160);
});

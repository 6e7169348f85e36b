import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

const run = promisify(execFile);

it('the committed policy is what its sources say', async () => {
  const script = join(import.meta.dirname, '..', '..', 'infra', 'policies', 'check.ts');
  await expect(run(process.execPath, [script])).resolves.toMatchObject({ stderr: '' });
});

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { readStackId } from './identity.ts';
import { shutDown } from './launch.ts';
import { rootDataDirectory, stackLayout } from './layout.ts';

/**
 * Stops the stack and deletes all of its data: databases, artifacts, keys, logs. The toolchain's manifest, which lies
 * in the same folder by default, stays.
 */
export async function removeStack(home: string): Promise<void> {
  await shutDown(home);
  const layout = stackLayout(home);
  const stackId = readStackId(layout);
  if (process.getuid?.() === 0 && stackId !== undefined) {
    rmSync(rootDataDirectory(stackId), { recursive: true, force: true });
  }
  const { data, env, logs, run, secrets, stateFile, idFile } = layout;
  // The identity last: without it, an interrupted removal could not find the data elsewhere again.
  for (const path of [data, env, logs, run, secrets, stateFile, join(layout.home, 'up.lock'), idFile]) {
    rmSync(path, { recursive: true, force: true });
  }
}

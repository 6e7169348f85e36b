import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import type { Logger } from '@temporalio/worker';
import writeFileAtomic from 'write-file-atomic';

const require = createRequire(import.meta.url);
const ROOT = join(import.meta.dirname, '..', '..');

/** Everything of ours that ends up in the bundle, and the lock file for everything else. */
const SOURCES = ['workflows', 'contracts', 'workers/shared/failure-converter.cjs', 'package-lock.json'];

export const FAILURE_CONVERTER = join(import.meta.dirname, 'failure-converter.cjs');

/**
 * In the bundle with telemetry on or off: they add steps to a workflow, so a history recorded with them could not be
 * replayed without. Off means that the worker drops the spans.
 */
export const WORKFLOW_INTERCEPTORS = [
  require.resolve('@temporalio/interceptors-opentelemetry/lib/workflow-interceptors'),
];

export interface WorkflowBundle {
  readonly codePath: string;
}

/**
 * The workflow code as one file, built on first use of these sources and kept under `directory`: building takes
 * seconds, and a worker should be back quickly after a restart.
 */
export async function workflowBundle(directory: string, logger?: Logger): Promise<WorkflowBundle> {
  const codePath = join(directory, `workflows-${await sourceDigest()}.js`);
  if (await isFile(codePath)) return { codePath };
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(ROOT, 'workflows', 'index.ts'),
    failureConverterPath: FAILURE_CONVERTER,
    workflowInterceptorModules: WORKFLOW_INTERCEPTORS,
    logger,
  });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // Two workers may start at once: whoever is last replaces the file by an equal one.
  await writeFileAtomic(codePath, code, { mode: 0o600 });
  return { codePath };
}

async function sourceDigest(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    for (const file of await filesOf(join(ROOT, source))) {
      hash
        .update(`${relative(ROOT, file)}\0`)
        .update(await readFile(file))
        .update('\0');
    }
  }
  return hash.digest('hex').slice(0, 32);
}

async function filesOf(path: string): Promise<string[]> {
  if (await isFile(path)) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

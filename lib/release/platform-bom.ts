import { execFile } from 'node:child_process';
import { access, constants, copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { inWorkFolder } from '../heavy/index.ts';
import { ReleaseError } from './errors.ts';

const run = promisify(execFile);

const SPEC_LIMIT_BYTES = 64 * 1024 * 1024;
const TIME_LIMIT_MS = 90_000;

/** What Syft writes; the rest passes through untouched. */
const Bom = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.string(),
  metadata: z.looseObject({ tools: z.unknown() }),
  components: z.array(z.looseObject({ name: z.string(), version: z.string().optional() })).default([]),
});

export interface PlatformBomOptions {
  /** Syft's executable. */
  readonly syft: string | undefined;
  /** Root of the checkout. */
  readonly checkout: string;
  readonly signal?: AbortSignal;
}

export interface PlatformBom {
  /** CycloneDX, JSON. */
  readonly bom: Readonly<Record<string, unknown>>;
  readonly components: number;
}

/**
 * Catalogues what the checkout's lock files pin, with Syft: npm packages and the Python packages of the toolchain.
 * Lock files alone are looked at, so that the same checkout gives the same result whatever was installed or is running;
 * serial number, time and paths of this machine are left out for the same reason.
 * @throws ReleaseError TOOL_MISSING, SBOM_FAILED
 */
export async function platformBom({ syft, checkout, signal }: PlatformBomOptions): Promise<PlatformBom> {
  if (syft === undefined || !(await isExecutable(syft))) {
    throw new ReleaseError('TOOL_MISSING', 'Syft is not set up for this process.', { field: 'syft' });
  }
  try {
    return await inWorkFolder(async (folder) => {
      await stageLocks(checkout, folder);
      return normalise(Bom.parse(JSON.parse(await scan(syft, folder, signal))), await platformName(checkout));
    });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new ReleaseError('SBOM_FAILED', 'Syft gave no bill of materials of the lock files.', { cause });
  }
}

/** Syft knows Python locks by the name `requirements.txt`. */
async function stageLocks(checkout: string, folder: string): Promise<void> {
  for (const name of ['package.json', 'package-lock.json']) await copyFile(join(checkout, name), join(folder, name));
  for (const lock of await pythonLocks(checkout)) {
    const target = join(folder, 'toolchain', basename(lock, '.lock'));
    await mkdir(target, { recursive: true });
    await copyFile(lock, join(target, 'requirements.txt'));
  }
}

async function pythonLocks(checkout: string): Promise<string[]> {
  const toolchain = join(checkout, 'infra', 'toolchain');
  const names = (await readdir(toolchain)).filter((name) => name.endsWith('.lock'));
  return names.sort().map((name) => join(toolchain, name));
}

/** Paths of every lock file of a checkout. */
export async function lockFiles(checkout: string): Promise<string[]> {
  return [join(checkout, 'package-lock.json'), ...(await pythonLocks(checkout))];
}

async function scan(syft: string, folder: string, signal: AbortSignal | undefined): Promise<string> {
  const { stdout } = await run(syft, ['scan', `dir:${folder}`, '--output', 'cyclonedx-json', '--quiet'], {
    // No look at the network, no settings of whoever started the worker.
    env: { SYFT_CHECK_FOR_APP_UPDATE: 'false', HOME: folder, PATH: '/usr/bin:/bin' },
    cwd: folder,
    maxBuffer: SPEC_LIMIT_BYTES,
    timeout: TIME_LIMIT_MS,
    signal,
  });
  return stdout;
}

/** Name and version of the platform, as its package says. */
export async function platformName(checkout: string): Promise<{ name: string; version: string }> {
  const manifest: unknown = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8'));
  return z.object({ name: z.string(), version: z.string() }).parse(manifest);
}

function normalise(bom: z.infer<typeof Bom>, { name, version }: { name: string; version: string }): PlatformBom {
  const component = { 'bom-ref': `${name}@${version}`, type: 'application', name, version };
  return {
    bom: { ...bom, serialNumber: undefined, metadata: { tools: bom.metadata.tools, component } },
    components: bom.components.length,
  };
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

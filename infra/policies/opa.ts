import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { SaipError } from '../../contracts/errors.ts';

/** The version that the committed policies were compiled with. */
export const OPA_VERSION = '1.22.2';
const MODULE = 'github.com/open-policy-agent/opa';

export const runFile = promisify(execFile);

/** The Open Policy Agent's command line. */
export interface Opa {
  readonly version: string;
  /** @throws SaipError POLICY_UNAVAILABLE with opa's own words */
  run(folder: string, ...parameters: string[]): Promise<void>;
}

/**
 * The opa of the cache, or the one on the path.
 * @param cache folder of the toolchain's downloads
 */
export async function findOpa(cache: string | undefined): Promise<Opa | undefined> {
  const cached = cache === undefined ? undefined : cachedFile(cache);
  for (const file of cached === undefined ? ['opa'] : [cached, 'opa']) {
    const version = await versionOf(file);
    if (version !== undefined) return { version, run: (folder, ...parameters) => run(file, folder, parameters) };
  }
  return undefined;
}

/**
 * Builds the pinned opa into the cache, once, where a Go toolchain is on the path; its checksum database vouches for
 * the sources. Takes minutes.
 * @returns whether there is one now
 */
export async function provideOpa(cache: string): Promise<boolean> {
  const file = cachedFile(cache);
  if (await exists(file)) return true;
  if (!(await hasGo())) return false;
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'opa-build-'));
  try {
    const env = { ...process.env, GOBIN: folder, GOFLAGS: '-buildvcs=false' };
    await runFile('go', ['install', '-p', '1', '-ldflags=-s -w', `${MODULE}@v${OPA_VERSION}`], { env });
    await rename(join(folder, 'opa'), file);
    return true;
  } catch (error) {
    throw new SaipError('TOOL_MISSING', 'opa could not be built.', { cause: error });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const cachedFile = (cache: string): string => join(cache, `opa-${OPA_VERSION}`);

async function versionOf(file: string): Promise<string | undefined> {
  try {
    const { stdout } = await runFile(file, ['version']);
    return /^Version: (\S+)$/m.exec(stdout)?.[1];
  } catch (error) {
    if (Code.safeParse(error).data?.code === 'ENOENT') return undefined;
    throw error;
  }
}

const Code = z.object({ code: z.unknown() });

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

function hasGo(): Promise<boolean> {
  return runFile('go', ['version']).then(
    () => true,
    () => false,
  );
}

const Output = z.object({ stdout: z.string(), stderr: z.string() });

async function run(file: string, cwd: string, parameters: string[]): Promise<void> {
  try {
    await runFile(file, parameters, { cwd });
  } catch (error) {
    const output = Output.safeParse(error).data;
    const said = output === undefined ? [] : [output.stdout, output.stderr];
    throw new SaipError('POLICY_UNAVAILABLE', [`opa ${parameters.join(' ')} failed.`, ...said].join('\n').trim(), {
      cause: error,
    });
  }
}

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SaipError } from '../../contracts/errors.ts';

const run = promisify(execFile);

const FOLDER = import.meta.dirname;
const POLICY = 'authz';
export const ENTRYPOINT = 'saip/authz/decision';
export const WASM_FILE = join(FOLDER, `${POLICY}.wasm`);
export const LOCK_FILE = join(FOLDER, `${POLICY}.lock.json`);

/** What the committed wasm was made of. Digests are lower-case hexadecimal SHA-256. */
export interface PolicyLock {
  readonly opa: string;
  readonly entrypoint: string;
  /** Path below this folder → digest; tests of the policy are not part of it. */
  readonly sources: Readonly<Record<string, string>>;
  readonly wasm: string;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export async function sourceDigests(): Promise<Record<string, string>> {
  const names = (await readdir(join(FOLDER, POLICY))).filter(
    (name) => name.endsWith('.rego') && !name.endsWith('_test.rego'),
  );
  const digests: Record<string, string> = {};
  for (const name of names.sort()) {
    digests[`${POLICY}/${name}`] = sha256(await readFile(join(FOLDER, POLICY, name)));
  }
  return digests;
}

/** Version of the `opa` on the PATH; undefined where there is none. */
export async function opaVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await run('opa', ['version']);
    return /^Version: (\S+)$/m.exec(stdout)?.[1];
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** `opa check --strict`, `opa fmt` and `opa test` over the policy. @throws SaipError POLICY_UNAVAILABLE with opa's own words */
export async function checkSources(): Promise<void> {
  await opa('check', '--strict', POLICY);
  await opa('fmt', '--fail', '--list', POLICY);
  await opa('test', POLICY);
}

/** Compiles the policy to WebAssembly; the same sources and opa give the same bytes. */
export async function compile(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'saip-policy-'));
  try {
    const bundle = join(folder, 'bundle.tar.gz');
    await opa('build', '-t', 'wasm', '-e', ENTRYPOINT, '--ignore', '*_test.rego', '-o', bundle, POLICY);
    await run('tar', ['-xzf', bundle, '-C', folder, '/policy.wasm']);
    return await readFile(join(folder, 'policy.wasm'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function opa(...parameters: string[]): Promise<void> {
  try {
    await run('opa', parameters, { cwd: FOLDER });
  } catch (error) {
    const output = error instanceof Error && 'stdout' in error && 'stderr' in error ? [error.stdout, error.stderr] : [];
    throw new SaipError('POLICY_UNAVAILABLE', [`opa ${parameters.join(' ')} failed.`, ...output].join('\n').trim(), {
      cause: error,
    });
  }
}

import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Opa } from './opa.ts';
import { runFile } from './opa.ts';

const FOLDER = import.meta.dirname;

/** What a committed wasm was made of. Digests are lower-case hexadecimal SHA-256. */
export interface PolicyLock {
  readonly opa: string;
  readonly entrypoint: string;
  /** Path below this folder → digest; tests of the policy are not part of it. */
  readonly sources: Readonly<Record<string, string>>;
  readonly wasm: string;
}

/** Names of the policies: every folder here holds the Rego sources of one. */
export async function policyNames(): Promise<string[]> {
  const entries = await readdir(FOLDER, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

export const entrypointOf = (policy: string): string => `saip/${policy}/decision`;
export const wasmFile = (policy: string): string => join(FOLDER, `${policy}.wasm`);
export const lockFile = (policy: string): string => join(FOLDER, `${policy}.lock.json`);

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export async function sourceDigests(policy: string): Promise<Record<string, string>> {
  const names = (await readdir(join(FOLDER, policy))).filter(
    (name) => name.endsWith('.rego') && !name.endsWith('_test.rego'),
  );
  const digests: Record<string, string> = {};
  for (const name of names.sort()) {
    digests[`${policy}/${name}`] = sha256(await readFile(join(FOLDER, policy, name)));
  }
  return digests;
}

/** `opa check --strict`, `opa fmt` and `opa test` over one policy. @throws SaipError POLICY_UNAVAILABLE with opa's own words */
export async function checkSources(opa: Opa, policy: string): Promise<void> {
  await opa.run(FOLDER, 'check', '--strict', policy);
  await opa.run(FOLDER, 'fmt', '--fail', '--list', policy);
  await opa.run(FOLDER, 'test', policy);
}

/** Compiles a policy to WebAssembly; the same sources and opa give the same bytes. */
export async function compile(opa: Opa, policy: string): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'saip-policy-'));
  try {
    const bundle = join(folder, 'bundle.tar.gz');
    const entrypoint = entrypointOf(policy);
    await opa.run(FOLDER, 'build', '-t', 'wasm', '-e', entrypoint, '--ignore', '*_test.rego', '-o', bundle, policy);
    await runFile('tar', ['-xzf', bundle, '-C', folder, '/policy.wasm']);
    return await readFile(join(folder, 'policy.wasm'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

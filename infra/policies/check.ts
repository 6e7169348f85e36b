import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { loadToolchain } from '../local/toolchain.ts';
import {
  checkSources,
  compile,
  entrypointOf,
  lockFile,
  policyNames,
  sha256,
  sourceDigests,
  wasmFile,
  type PolicyLock,
} from './bundle.ts';
import { findOpa, type Opa } from './opa.ts';

const REBUILD = 'run npm run policy:build.';

/** Fails unless each committed wasm is what its sources say. Digests need no tool; tests and a rebuild need opa. */
const opa = await findOpa(loadToolchain().cache);
if (opa === undefined) process.stdout.write('policy: there is no opa; checked digests only.\n');
const problems: string[] = [];
for (const policy of await policyNames()) problems.push(...(await problemsOf(policy, opa)));
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;

async function problemsOf(policy: string, opa: Opa | undefined): Promise<string[]> {
  const found: string[] = [];
  const lock = JSON.parse(await readFile(lockFile(policy), 'utf8')) as PolicyLock;
  if (!isDeepStrictEqual(lock.sources, await sourceDigests(policy))) {
    found.push(`The Rego sources changed since ${policy}.wasm was built: ${REBUILD}`);
  }
  if (lock.wasm !== sha256(await readFile(wasmFile(policy))) || lock.entrypoint !== entrypointOf(policy)) {
    found.push(`${policy}.wasm is not the file that ${policy}.lock.json names: ${REBUILD}`);
  }
  if (opa === undefined) return found;
  await checkSources(opa, policy);
  if (opa.version !== lock.opa) {
    process.stdout.write(`policy: opa ${opa.version} is not ${lock.opa}; the rebuild of ${policy} was not compared.\n`);
  } else if (sha256(await compile(opa, policy)) !== lock.wasm) {
    found.push(`Compiling the Rego sources gives another ${policy}.wasm: ${REBUILD}`);
  }
  return found;
}

import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  checkSources,
  compile,
  ENTRYPOINT,
  LOCK_FILE,
  opaVersion,
  sha256,
  sourceDigests,
  WASM_FILE,
} from './bundle.ts';
import type { PolicyLock } from './bundle.ts';

// Fails unless the committed authz.wasm is what its sources say. Digests need no tool; tests and a rebuild need opa.
const problems: string[] = [];
const lock = JSON.parse(await readFile(LOCK_FILE, 'utf8')) as PolicyLock;
if (!isDeepStrictEqual(lock.sources, await sourceDigests())) {
  problems.push('The Rego sources changed since authz.wasm was built: run npm run policy:build.');
}
if (lock.wasm !== sha256(await readFile(WASM_FILE)) || lock.entrypoint !== ENTRYPOINT) {
  problems.push('authz.wasm is not the file that authz.lock.json names: run npm run policy:build.');
}
const version = await opaVersion();
if (version === undefined) {
  process.stdout.write('policy: opa is not on the PATH; checked digests only.\n');
} else {
  await checkSources();
  if (version !== lock.opa) {
    process.stdout.write(`policy: opa ${version} is not ${lock.opa}; the rebuild was not compared.\n`);
  } else if (sha256(await compile()) !== lock.wasm) {
    problems.push('Compiling the Rego sources gives another authz.wasm: run npm run policy:build.');
  }
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;

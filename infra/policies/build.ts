import { writeFile } from 'node:fs/promises';
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
import { findOpa } from './opa.ts';

// Makes <policy>.wasm and <policy>.lock.json from the Rego sources of every policy.
const opa = await findOpa(loadToolchain().cache);
if (opa === undefined) {
  process.stderr.write('There is no opa: make test builds it where Go is installed, or put one on the PATH.\n');
  process.exit(1);
}
for (const policy of await policyNames()) {
  await checkSources(opa, policy);
  const wasm = await compile(opa, policy);
  const lock: PolicyLock = {
    opa: opa.version,
    entrypoint: entrypointOf(policy),
    sources: await sourceDigests(policy),
    wasm: sha256(wasm),
  };
  await writeFile(wasmFile(policy), wasm);
  await writeFile(lockFile(policy), `${JSON.stringify(lock, undefined, 2)}\n`);
  process.stdout.write(`${policy}.wasm ${lock.wasm} (opa ${opa.version})\n`);
}

import { writeFile } from 'node:fs/promises';
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

// Makes authz.wasm and authz.lock.json from the Rego sources; needs `opa` on the PATH.
const version = await opaVersion();
if (version === undefined) {
  process.stderr.write('opa is not on the PATH; it is needed to compile the policy.\n');
  process.exit(1);
}
await checkSources();
const wasm = await compile();
const lock: PolicyLock = { opa: version, entrypoint: ENTRYPOINT, sources: await sourceDigests(), wasm: sha256(wasm) };
await writeFile(WASM_FILE, wasm);
await writeFile(LOCK_FILE, `${JSON.stringify(lock, undefined, 2)}\n`);
process.stdout.write(`authz.wasm ${lock.wasm} (opa ${version})\n`);

import { loadToolchain } from '../local/toolchain.ts';
import { provideOpa } from '../policies/opa.ts';
import { POLICY_CHECK, STATIC_CHECKS } from './check.ts';
import type { Check, CheckResult } from './check.ts';
import { runCommand } from './run-command.ts';
import { runTests } from './tests.ts';

/** `make test`: every check of the repository. Its last line is `N passed, N failed`. */
// Minutes the first time, nothing afterwards; the other checks need not wait for it.
const opa = provideOpa(loadToolchain().cache).catch((error: unknown) => {
  console.log(`opa: ${error instanceof Error ? error.message : String(error)}`);
});
const results = (await Promise.all(STATIC_CHECKS.map(runInTurn))).flat();
results.push(await runTests());
await opa;
results.push(await runStaticCheck(POLICY_CHECK));

const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
process.exitCode = failed > 0 ? 1 : 0;
console.log(`${passed} passed, ${failed} failed`);

async function runInTurn(checks: readonly Check[]): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) results.push(await runStaticCheck(check));
  return results;
}

async function runStaticCheck({ name, command, args }: Check): Promise<CheckResult> {
  console.log(`· ${name}`);
  const { code, output, seconds } = await runCommand({ name, command, args, output: 'collect' });
  const mark = code === 0 ? '✓' : '✗';
  if (code !== 0) console.log(output.trimEnd());
  console.log(`${mark} ${name}, ${seconds.toFixed(0)} s`);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

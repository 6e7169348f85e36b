import { stackLayout } from '../layout.ts';
import { checkDevice } from './device.ts';
import type { Check, Finding } from './finding.ts';
import { checkDisk, checkMemory } from './machine.ts';
import { checkSecrets } from './secrets.ts';
import { checkStack } from './stack.ts';
import { checkPrerequisites, checkToolchain } from './toolchain.ts';

export type { Finding } from './finding.ts';

const CHECKS: readonly Check[] = [
  checkPrerequisites,
  checkToolchain,
  checkDevice,
  checkDisk,
  checkMemory,
  checkSecrets,
  checkStack,
];

/** Looks at the machine, the toolchain and the stack in `home`; changes nothing. */
export async function diagnose(home: string): Promise<Finding[]> {
  const layout = stackLayout(home);
  const findings: Finding[] = [];
  for (const check of CHECKS) findings.push(...(await check(layout)));
  return findings;
}

import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify, isAlive } from '../../infra/local/processes.ts';
import type { ProcessIdentity } from '../../infra/local/processes.ts';
import { launch, removeStack, stackLayout, waitUntilHealthy } from '../../infra/local/index.ts';

/** State directory of the stack that integration tests use. Set it to use one that runs already. */
export const TEST_HOME = 'SAIP_TEST_HOME';

const PREFIX = 'saip-test-';
const START_TIMEOUT_MS = 300_000;

const ownerFile = (home: string): string => join(home, 'test-owner.json');

/** A new state directory, marked as belonging to this process. */
export function createTestHome(): string {
  const home = mkdtempSync(join(tmpdir(), PREFIX));
  writeFileSync(ownerFile(home), JSON.stringify(identify(process.pid)));
  return home;
}

/** Starts `only` in a new state directory and waits until it is healthy. @returns the state directory */
export async function startTestStack(only: readonly string[] = ['servers']): Promise<string> {
  const home = createTestHome();
  await startStack(home, only);
  return home;
}

/** @throws Error that names what is not healthy and why */
export async function startStack(home: string, only: readonly string[]): Promise<void> {
  const { names } = await launch({ home, only });
  const { outcome, services } = await waitUntilHealthy({ home, names, timeoutMs: START_TIMEOUT_MS });
  if (outcome === 'healthy') return;
  const log = readFileSync(join(stackLayout(home).logs, 'supervisor.log'), 'utf8').slice(-3_000);
  throw new Error(`the test stack is not up (${outcome}): ${JSON.stringify(services)}\n${log}`);
}

function owner(home: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(ownerFile(home), 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

export function isOwnTestStack(home: string): boolean {
  return owner(home)?.pid === process.pid;
}

/** Ends stacks of test runs that were killed before they could stop them. */
export async function removeStaleTestStacks(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const home = join(tmpdir(), name);
    const by = owner(home);
    if (by === undefined || isAlive(by)) continue;
    await removeStack(home);
    rmSync(home, { recursive: true, force: true });
  }
}

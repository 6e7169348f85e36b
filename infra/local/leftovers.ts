import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readStackId } from './identity.ts';
import type { StackLayout } from './layout.ts';
import { endProcesses, markedProcesses, sessionMembers } from './processes.ts';
import type { ProcessIdentity } from './processes.ts';

/** Services are stopped in no order here; each gets this long to write down what it must. */
const GRACE_MS = 10_000;

function recordedLeaders(layout: StackLayout): ProcessIdentity[] {
  let names: string[];
  try {
    names = readdirSync(layout.run).filter((name) => name.endsWith('.json') && name !== 'request.json');
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    try {
      return [JSON.parse(readFileSync(join(layout.run, name), 'utf8')) as ProcessIdentity];
    } catch {
      return [];
    }
  });
}

/** Processes of this stack that no supervisor looks after. They are matched by pid and start time, or by the stack's
 * marker in their environment, so that a reused pid is never hit. */
export function findLeftovers(layout: StackLayout): ProcessIdentity[] {
  const stackId = readStackId(layout);
  const marked = stackId === undefined ? [] : markedProcesses(stackId);
  const found = [...recordedLeaders(layout).flatMap(sessionMembers), ...marked];
  return [...new Map(found.map((identity) => [identity.pid, identity])).values()];
}

/** Ends what a killed supervisor left behind. @returns how many processes there were */
export async function endLeftovers(layout: StackLayout): Promise<number> {
  const found = findLeftovers(layout);
  await endProcesses(found, GRACE_MS);
  // Children that a process started while it was ending.
  await endProcesses(findLeftovers(layout), 1_000);
  rmSync(layout.run, { recursive: true, force: true });
  return found.length;
}

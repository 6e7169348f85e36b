import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readStackId } from './identity.ts';
import type { StackLayout } from './layout.ts';
import { endFamily, endProcesses, familyOf, isAlive, markedProcesses } from './processes.ts';
import type { ProcessIdentity } from './processes.ts';
import { stopOptions } from './service.ts';
import { SERVICES } from './services/index.ts';

/** What no service record names gets this long to end by itself. */
const GRACE_MS = 5_000;

interface Leader {
  readonly name: string;
  readonly identity: ProcessIdentity;
}

/** Processes that a supervisor wrote down when it started them. */
function recordedLeaders(layout: StackLayout): Leader[] {
  let files: string[];
  try {
    files = readdirSync(layout.run);
  } catch {
    return [];
  }
  const names = files.filter((file) => file.endsWith('.json')).map((file) => basename(file, '.json'));
  return SERVICES.filter(({ name }) => names.includes(name)).flatMap(({ name }) => {
    try {
      return [
        { name, identity: JSON.parse(readFileSync(join(layout.run, `${name}.json`), 'utf8')) as ProcessIdentity },
      ];
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
  const found = [...recordedLeaders(layout).flatMap(({ identity }) => familyOf(identity)), ...marked];
  return [...new Map(found.map((identity) => [identity.pid, identity])).values()];
}

/** Ends what a killed supervisor left behind. @returns how many processes there were */
export async function endLeftovers(layout: StackLayout): Promise<number> {
  const found = findLeftovers(layout);
  const leaders = recordedLeaders(layout).filter(({ identity }) => isAlive(identity));
  await Promise.all(
    leaders.map(({ name, identity }) =>
      endFamily(identity, stopOptions(SERVICES.find((spec) => spec.name === name) ?? {})),
    ),
  );
  await endProcesses(found, GRACE_MS);
  // Children that a process started while it was ending.
  await endProcesses(findLeftovers(layout), 1_000);
  rmSync(layout.run, { recursive: true, force: true });
  return found.length;
}

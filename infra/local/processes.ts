import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * One process for certain: the kernel reuses pids, but not together with a start time.
 * `startTime` is field 22 of proc_pid_stat(5), in clock ticks since boot.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: number;
}

export interface ProcessStat extends ProcessIdentity {
  /** One letter of proc_pid_stat(5); `Z` is a zombie. */
  readonly state: string;
  readonly parent: number;
  readonly session: number;
}

/** Set in the environment of everything a supervisor starts; children inherit it, whatever session they move to. */
export const STACK_MARKER = 'SAIP_SUPERVISED_BY';

/** @returns undefined when there is no such process */
export function readProcess(pid: number): ProcessStat | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The command name (field 2) may hold spaces and parentheses, so fields are counted from its last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent, , session] = fields;
  return { pid, state, parent: Number(parent), session: Number(session), startTime: Number(fields[19]) };
}

export function identify(pid: number): ProcessIdentity | undefined {
  const found = readProcess(pid);
  return found && { pid: found.pid, startTime: found.startTime };
}

export function isAlive(identity: ProcessIdentity): boolean {
  const found = readProcess(identity.pid);
  return found !== undefined && found.startTime === identity.startTime && found.state !== 'Z';
}

function allProcesses(): ProcessStat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((found) => found !== undefined && found.state !== 'Z') as ProcessStat[];
}

/** Members of the session that `leader` opened, also after the leader itself has died: while members live, the kernel
 * gives the session's number to no other process. */
export function sessionMembers(leader: ProcessIdentity): ProcessIdentity[] {
  const current = readProcess(leader.pid);
  if (current !== undefined && current.startTime !== leader.startTime) return [];
  return allProcesses().filter((p) => p.session === leader.pid && p.startTime >= leader.startTime);
}

/** The process, its descendants, and everything in its session. PostgreSQL's children open sessions of their own. */
export function familyOf(leader: ProcessIdentity): ProcessIdentity[] {
  const all = allProcesses();
  const family = new Map(sessionMembers(leader).map((member) => [member.pid, member]));
  for (let size = -1; size !== family.size;) {
    size = family.size;
    for (const found of all) if (family.has(found.parent)) family.set(found.pid, found);
  }
  return [...family.values()];
}

function carriesMarker(pid: number, stackId: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`${STACK_MARKER}=${stackId}`);
  } catch {
    return false;
  }
}

/** Every process that inherited the marker of this stack; finds those that left their session too. */
export function markedProcesses(stackId: string): ProcessIdentity[] {
  return allProcesses().filter((p) => p.pid !== process.pid && carriesMarker(p.pid, stackId));
}

/** Proportional set size in bytes: resident memory, shared pages divided among those that share them. */
export function memoryOf(pid: number): number {
  try {
    const kib = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Sends a signal; a process that is gone already is not an error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Waits until none of `list` runs. @returns those still alive after `timeoutMs` */
export async function waitForExit(list: readonly ProcessIdentity[], timeoutMs: number): Promise<ProcessIdentity[]> {
  const deadline = Date.now() + timeoutMs;
  let alive = list.filter(isAlive);
  while (alive.length > 0 && Date.now() < deadline) {
    await delay(25);
    alive = alive.filter(isAlive);
  }
  return alive;
}

/** Ends processes: SIGTERM, and SIGKILL for those that stay. */
export async function endProcesses(list: readonly ProcessIdentity[], graceMs: number): Promise<void> {
  const alive = list.filter(isAlive);
  for (const { pid } of alive) signal(pid, 'SIGTERM');
  const stubborn = await waitForExit(alive, graceMs);
  for (const { pid } of stubborn) signal(pid, 'SIGKILL');
  await waitForExit(stubborn, 5_000);
}

export interface EndOptions {
  /** Default SIGTERM. */
  readonly signal?: NodeJS.Signals;
  /** Signals the whole family rather than its leader alone. */
  readonly group?: boolean;
  /** How long the leader gets before SIGKILL. */
  readonly graceMs: number;
}

/** Ends a process and everything it started. */
export async function endFamily(leader: ProcessIdentity, options: EndOptions): Promise<void> {
  const { signal: name = 'SIGTERM', group = false, graceMs } = options;
  const family = familyOf(leader);
  for (const { pid } of family) if (group || pid === leader.pid) signal(pid, name);
  const stubborn = await waitForExit([leader], graceMs);
  for (const { pid } of stubborn) signal(pid, 'SIGKILL');
  // What the leader left behind gets no second grace period worth the name.
  await endProcesses([...family, ...sessionMembers(leader)], 1_000);
}

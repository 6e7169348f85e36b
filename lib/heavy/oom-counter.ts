import { readFileSync } from 'node:fs';

/**
 * How often the kernel's OOM killer struck in this process's cgroup (v2), or on the machine where there is no cgroup
 * with a memory controller. A SIGKILL with an unchanged count came from somebody else.
 */
export function oomKills(): number {
  return counter(cgroupEventsFile(), 'oom_kill') ?? counter('/proc/vmstat', 'oom_kill') ?? 0;
}

function cgroupEventsFile(): string {
  const line = read('/proc/self/cgroup')
    ?.split('\n')
    .find((entry) => entry.startsWith('0::'));
  return `/sys/fs/cgroup${line?.slice('0::'.length) ?? ''}/memory.events`;
}

function counter(file: string, name: string): number | undefined {
  const match = read(file)?.match(new RegExp(`^${name} (\\d+)$`, 'm'));
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** One process for certain: pids are given out again, but not with the same start time (proc_pid_stat(5), field 22). */
export const Owner = z.object({ pid: z.int(), startTime: z.int() });
export type Owner = z.infer<typeof Owner>;

/** @returns undefined where there is no such process, or it is one that ended already */
export function ownerOf(pid: number): Owner | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name (field 2) may hold spaces and parentheses, so fields are counted from its last parenthesis.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : { pid, startTime: Number(fields[19]) };
  } catch {
    return undefined;
  }
}

export function lives(owner: Owner): boolean {
  return ownerOf(owner.pid)?.startTime === owner.startTime;
}

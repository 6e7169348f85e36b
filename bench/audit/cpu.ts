import { readFileSync, readdirSync } from 'node:fs';
import type { Pool } from '../../lib/clients/index.ts';

/** Processor time so far, in seconds. */
export interface CpuTime {
  /** This process with its threads. */
  readonly node: number;
  /** Every process of the PostgreSQL server. */
  readonly postgres: number;
}

/** Hardly disturbed by what else the machine does, unlike a rate. */
export async function cpuTime(pool: Pool): Promise<CpuTime> {
  const { rows } = await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const server = Number(statOf(rows[0]?.pid ?? 0)[1]);
  const { user, system } = process.cpuUsage();
  let ticks = 0;
  for (const name of readdirSync('/proc')) {
    const fields = /^\d+$/.test(name) ? statOf(Number(name)) : [];
    if (Number(name) === server) ticks += sum(fields.slice(11, 15));
    else if (Number(fields[1]) === server) ticks += sum(fields.slice(11, 13));
  }
  return { node: (user + system) / 1e6, postgres: ticks / 100 };
}

/**
 * Fields of proc_pid_stat(5) from the third on: parent in place 1; user and system time, and those of children that ended,
 * in places 11 to 14, in ticks of a hundredth of a second.
 */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function sum(ticks: readonly string[]): number {
  return ticks.reduce((total, one) => total + Number(one), 0);
}

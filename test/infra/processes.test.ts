import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  STACK_MARKER,
  endFamily,
  familyOf,
  identify,
  isAlive,
  markedProcesses,
  memoryOf,
  sessionMembers,
} from '../../infra/local/processes.ts';
import type { ProcessIdentity } from '../../infra/local/processes.ts';

const started: ChildProcess[] = [];

/** Starts a shell in a session of its own that prints the pid of its first child. */
async function shell(script: string, env: Record<string, string> = {}) {
  const child = spawn('sh', ['-c', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  started.push(child);
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { leader: mustIdentify(child.pid), inner: mustIdentify(Number(line)), child };
}

function mustIdentify(pid: number | undefined): ProcessIdentity {
  const found = identify(pid ?? 0);
  if (found === undefined) throw new Error(`no process ${pid}`);
  return found;
}

afterEach(async () => {
  for (const { pid } of started.splice(0)) {
    const leader = pid === undefined ? undefined : identify(pid);
    if (leader !== undefined) await endFamily(leader, { signal: 'SIGKILL', group: true, graceMs: 1_000 });
  }
});

describe('the process table', () => {
  it('tells a process from another one with the same pid', () => {
    const self = mustIdentify(process.pid);
    expect(isAlive(self)).toBe(true);
    expect(isAlive({ ...self, startTime: self.startTime - 1 })).toBe(false);
    expect(sessionMembers({ ...self, startTime: self.startTime - 1 })).toEqual([]);
  });

  it('knows no process that has ended', async () => {
    const { leader, child } = await shell('sleep 60 & echo $!; wait');
    await endFamily(leader, { graceMs: 5_000, group: true });
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    expect(identify(leader.pid)).toBeUndefined();
  });

  it('finds children of a leader that was killed', async () => {
    const { leader, inner, child } = await shell('sleep 60 & echo $!; wait');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(sessionMembers(leader)).toEqual([expect.objectContaining(inner)]);
  });

  it('finds children that opened a session of their own, by descent and by marker', async () => {
    // It tells its pid itself: while a process turns into another program, the table shows no environment of it.
    const script = `setsid sh -c 'echo $$; sleep 60; :' & wait`;
    const { leader, inner } = await shell(script, { [STACK_MARKER]: 'test-stack' });
    expect(familyOf(leader).map(({ pid }) => pid)).toContain(inner.pid);
    expect(markedProcesses('test-stack').map(({ pid }) => pid)).toEqual(
      expect.arrayContaining([leader.pid, inner.pid]),
    );
    expect(markedProcesses('another-stack')).toEqual([]);
  });

  it('measures memory', () => {
    expect(memoryOf(process.pid)).toBeGreaterThan(10 * 2 ** 20);
    expect(memoryOf(2 ** 30)).toBe(0);
  });
});

describe('endFamily', () => {
  it('kills a leader that ignores the signal, and what it started', async () => {
    const { leader, inner } = await shell(`trap '' TERM; sleep 60 & echo $!; while :; do wait; done`);
    await endFamily(leader, { graceMs: 100 });
    expect(isAlive(leader)).toBe(false);
    expect(isAlive(inner)).toBe(false);
  });
});

import { rmSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  launch,
  readStackState,
  removeStack,
  reportStack,
  shutDown,
  stackLayout,
  waitUntilHealthy,
} from '../../infra/local/index.ts';
import { readStackId } from '../../infra/local/identity.ts';
import { findLeftovers } from '../../infra/local/leftovers.ts';
import { isAlive, markedProcesses } from '../../infra/local/processes.ts';
import type { ProcessIdentity } from '../../infra/local/processes.ts';
import { createTestHome, startStack } from '../support/stack-process.ts';

const homes: string[] = [];

function newHome(): string {
  const home = createTestHome();
  homes.push(home);
  return home;
}

afterEach(async () => {
  for (const home of homes.splice(0)) {
    await removeStack(home);
    rmSync(home, { recursive: true, force: true });
  }
});

function stateOf(home: string) {
  const state = readStackState(stackLayout(home).stateFile);
  if (state === undefined) throw new Error(`no stack in ${home}`);
  return state;
}

function processOf(home: string, name: string): ProcessIdentity {
  const { pid, startTime } = stateOf(home).services.find((service) => service.name === name) ?? {};
  if (pid === undefined || startTime === undefined) throw new Error(`${name} does not run`);
  return { pid, startTime };
}

async function answer(home: string, path: string): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${stateOf(home).ports.temporalHttp}${path}`);
  return response.json();
}

/** Resolves when `done` holds; the test's own time limit ends the wait. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe('a stack', () => {
  it('starts once, is added to, and leaves nothing behind', async () => {
    const home = newHome();
    await startStack(home, ['temporal']);
    const first = processOf(home, 'temporal');
    await startStack(home, ['temporal', 'openbao']);
    expect(processOf(home, 'temporal')).toEqual(first);
    expect(reportStack(home)).toMatchObject({
      running: true,
      services: [
        { name: 'temporal', state: 'healthy', pid: first.pid, port: expect.any(Number) },
        { name: 'openbao', state: 'healthy', memoryBytes: expect.any(Number), uptimeSeconds: expect.any(Number) },
      ],
    });

    const stackId = readStackId(stackLayout(home)) ?? '';
    expect(markedProcesses(stackId).length).toBeGreaterThanOrEqual(2);
    await expect(shutDown(home)).resolves.toEqual({ wasRunning: true, leftovers: 0 });
    expect(markedProcesses(stackId)).toEqual([]);
    expect(reportStack(home)).toMatchObject({ running: false, services: [{ state: 'stopped' }, { state: 'stopped' }] });
  });

  it('does not touch another one beside it', async () => {
    const [one, two] = [newHome(), newHome()];
    await Promise.all([startStack(one, ['temporal']), startStack(two, ['temporal'])]);
    const taken = new Set([...Object.values(stateOf(one).ports), ...Object.values(stateOf(two).ports)]);
    expect(taken.size).toBe(2 * Object.keys(stateOf(one).ports).length);

    await removeStack(one);
    expect(reportStack(two)).toMatchObject({ running: true, services: [{ name: 'temporal', state: 'healthy' }] });
    await expect(answer(two, '/api/v1/namespaces/default')).resolves.toMatchObject({
      namespaceInfo: { name: 'default' },
    });
  });
});

describe('after kill -9', () => {
  it('of a service, it is started again, and the vault is unsealed again', async () => {
    const home = newHome();
    await startStack(home, ['postgres']);
    for (const name of ['postgres', 'openbao']) {
      const killed = processOf(home, name);
      process.kill(killed.pid, 'SIGKILL');
      const again = () => stateOf(home).services.find((service) => service.name === name);
      await until(() => again()?.restarts === 1 && again()?.state === 'healthy');
      expect(processOf(home, name).pid).not.toBe(killed.pid);
    }
  });

  it('of everything at once, it comes back on the same ports', async () => {
    const home = newHome();
    await startStack(home, ['temporal', 'openbao']);
    const { ports } = stateOf(home);
    for (const { pid } of findLeftovers(stackLayout(home))) process.kill(pid, 'SIGKILL');
    process.kill(stateOf(home).supervisor?.pid ?? 0, 'SIGKILL');
    await startStack(home, ['temporal', 'openbao']);
    expect(stateOf(home).ports).toEqual(ports);
  });

  it('of the supervisor, the next start ends what is left and works with the same data', async () => {
    const home = newHome();
    await startStack(home, ['openbao', 'temporal']);
    const { supervisor, services } = stateOf(home);
    const orphans = services.map(({ name }) => processOf(home, name));
    process.kill(supervisor?.pid ?? 0, 'SIGKILL');
    await until(() => supervisor !== undefined && !isAlive(supervisor));
    expect(findLeftovers(stackLayout(home)).length).toBeGreaterThanOrEqual(2);
    expect(orphans.every(isAlive)).toBe(true);
    expect(reportStack(home).running).toBe(false);

    const { leftovers, names } = await launch({ home, only: ['openbao', 'temporal'] });
    expect(leftovers).toBeGreaterThanOrEqual(2);
    expect(orphans.some(isAlive)).toBe(false);
    const { outcome } = await waitUntilHealthy({ home, names, timeoutMs: 60_000 });
    expect(outcome).toBe('healthy');
  });

  it('of the supervisor, down ends what is left', async () => {
    const home = newHome();
    await startStack(home, ['temporal']);
    const orphan = processOf(home, 'temporal');
    process.kill(stateOf(home).supervisor?.pid ?? 0, 'SIGKILL');
    await expect(shutDown(home)).resolves.toMatchObject({ leftovers: expect.any(Number) });
    expect(isAlive(orphan)).toBe(false);
    expect(findLeftovers(stackLayout(home))).toEqual([]);
  });
});

import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { choosePorts, releasePorts } from '../../infra/local/ports.ts';
import type { Ports } from '../../infra/local/ports.ts';

const servers: Server[] = [];
const chosen: Ports[] = [];

async function listen(port: number): Promise<number> {
  const server = createServer().listen(port, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function choose(previous: Record<string, number> = {}): Promise<Ports> {
  const ports = await choosePorts(previous);
  chosen.push(ports);
  return ports;
}

afterEach(() => {
  chosen.splice(0).forEach(releasePorts);
  servers.splice(0).forEach((server) => server.close());
});

describe('choosePorts', () => {
  it('gives every service a port of its own', async () => {
    const ports = Object.values(await choose());
    expect(new Set(ports).size).toBe(ports.length);
  });

  it('keeps the ports of the last run, unless another program has taken one', async () => {
    const first = await choose();
    releasePorts(first);
    await listen(first.mlflow);
    const second = await choose(first);
    expect(second).toEqual({ ...first, mlflow: expect.any(Number) });
    expect(second.mlflow).not.toBe(first.mlflow);
  });

  it('never gives two processes the same ports, though nothing listens yet', async () => {
    const mine = await choose();
    const module = join(import.meta.dirname, '../../infra/local/ports.ts');
    const script = `import { choosePorts, releasePorts } from ${JSON.stringify(module)};
      const ports = await choosePorts({}); console.log(JSON.stringify(ports)); releasePorts(ports);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [output] = (await once(child.stdout, 'data')) as [Buffer];
    const theirs = Object.values(JSON.parse(output.toString()) as Ports);
    expect(theirs.filter((port) => Object.values(mine).includes(port))).toEqual([]);
  });
});

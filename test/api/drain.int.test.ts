import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import getPort from 'get-port';
import { CHECKOUT } from '../../infra/local/toolchain.ts';
import { stackEnv } from '../support/stack.ts';
import { until } from './support/until.ts';

/** The API as a process of its own, as the supervisor starts it. */
async function spawnApi(env: Record<string, string> = {}) {
  const port = await getPort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [join(CHECKOUT, 'api', 'main.ts')], {
    env: { ...stackEnv('api'), SAIP_API_PORT: String(port), SAIP_API_URL: url, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  return { child, url, lines, errors: () => errors };
}

const untilReady = (url: string) =>
  until('the API is ready', async () => (await fetch(`${url}/health/ready`).catch(() => undefined))?.status === 200);

describe('the API process', () => {
  it('stops in order when it is asked to', async () => {
    const { child, url, lines } = await spawnApi();
    await untilReady(url);
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(lines.some((line) => line.includes('the API drains'))).toBe(true);
  });

  it('does not start with a setting that it cannot use, and names it', async () => {
    const { child, errors } = await spawnApi({ SAIP_API_PORT: 'eighty', SAIP_API_PROT: '1' });
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(78);
    expect(errors()).toContain('SAIP_API_PORT');
    expect(errors()).toContain('SAIP_API_PROT');
    expect(errors()).not.toContain('at ');
  });
});

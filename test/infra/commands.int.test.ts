import { execFile } from 'node:child_process';
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CHECKOUT, loadToolchain, removeStack, stackLayout } from '../../infra/local/index.ts';
import type { Finding } from '../../infra/local/index.ts';
import { createTestHome } from '../support/stack-process.ts';

const run = promisify(execFile);

let home: string;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function saip(...args: string[]): Promise<Outcome> {
  const options = { env: { ...process.env, SAIP_HOME: home, NO_COLOR: '1' } };
  try {
    const { stdout, stderr } = await run(loadToolchain().node, [join(CHECKOUT, 'cli/main.ts'), ...args], options);
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Outcome;
    return { code, stdout, stderr };
  }
}

async function findings(): Promise<{ code: number; wrong: Finding[] }> {
  const { code, stdout } = await saip('doctor', '--json');
  const report = JSON.parse(stdout) as { findings: Finding[] };
  return { code, wrong: report.findings.filter(({ level }) => level === 'error') };
}

beforeAll(() => {
  home = createTestHome();
});
afterAll(async () => {
  await removeStack(home);
  rmSync(home, { recursive: true, force: true });
});

describe('the commands of the stack, in the order of a life', () => {
  it('say that nothing runs', async () => {
    await expect(saip('status')).resolves.toMatchObject({ code: 1, stdout: 'The stack is not running: saip up.\n' });
    await expect(saip('down')).resolves.toMatchObject({ code: 0, stdout: 'The stack was not running.\n' });
    await expect(saip('logs', 'openbao')).resolves.toMatchObject({ code: 4 });
  });

  it('refuse a service that does not exist', async () => {
    await expect(saip('up', '--only', 'redis')).resolves.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is no service redis'),
    });
  });

  it('start it, showing each service, and again without effect', async () => {
    const first = await saip('up', '--only', 'openbao');
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/✓ openbao {2}http:\/\/127\.0\.0\.1:\d+/) });
    const again = await saip('up', '--only', 'openbao', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({
      outcome: 'healthy',
      services: [{ name: 'openbao', restarts: 0 }],
    });
  });

  it('show its state', async () => {
    const { code, stdout } = await saip('status', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      services: [{ name: 'openbao', state: 'healthy', pid: expect.any(Number), url: expect.stringContaining('http') }],
    });
    await expect(saip('logs', 'supervisor', '-n', '1')).resolves.toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"msg"'),
    });
  });

  it('find a secret that others can read', async () => {
    await expect(findings()).resolves.toEqual({ code: 0, wrong: [] });
    const secret = join(stackLayout(home).secrets, 'bao-init.json');
    chmodSync(secret, 0o644);
    const { code, wrong } = await findings();
    chmodSync(secret, 0o600);
    expect(code).toBe(1);
    expect(wrong).toEqual([expect.objectContaining({ check: 'secrets', mend: `chmod go= ${secret}` })]);
  });

  it('stop it, and delete it only when told to', async () => {
    await expect(saip('clean')).resolves.toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    await expect(saip('down')).resolves.toMatchObject({ code: 0, stdout: 'Stopped.\n' });
    await expect(saip('clean', '--yes')).resolves.toMatchObject({ code: 0 });
    const { data, secrets, stateFile } = stackLayout(home);
    expect([data, secrets, stateFile].filter((path) => existsSync(path))).toEqual([]);
  });
});

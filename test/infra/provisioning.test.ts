import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CHECKOUT, loadToolchain } from '../../infra/local/index.ts';

const SETUP = join(CHECKOUT, 'infra/toolchain');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'saip-setup-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function start(script: string, env: Record<string, string> = {}) {
  return spawn(loadToolchain().python, ['-B', '-c', script], {
    cwd: SETUP,
    env: { PATH: process.env.PATH ?? '', HOME: folder, PIP_CONFIG_FILE: '/dev/null', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

function python(script: string, env: Record<string, string> = {}): string {
  const { stdout, stderr, status } = spawnSync(loadToolchain().python, ['-B', '-c', script], {
    cwd: SETUP,
    env: { PATH: process.env.PATH ?? '', HOME: folder, PIP_CONFIG_FILE: '/dev/null', ...env },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

describe('the registries of the set-up', () => {
  const uvEnvironment = (env: Record<string, string>): Record<string, string> =>
    JSON.parse(
      python(
        'import json, sys; from pathlib import Path; from provisioning.registries import uv_environment; ' +
          'print(json.dumps(uv_environment(Path(sys.executable), Path("/cache"))))',
        env,
      ),
    ) as Record<string, string>;

  it('are those of the user: what pip is told, uv is told', () => {
    const env = uvEnvironment({
      PIP_INDEX_URL: 'https://mirror.example/simple',
      PIP_FIND_LINKS: '/wheels /more',
      PIP_CERT: '/etc/ca.pem',
    });
    expect(env).toMatchObject({
      UV_DEFAULT_INDEX: 'https://mirror.example/simple',
      UV_FIND_LINKS: '/wheels,/more',
      SSL_CERT_FILE: '/etc/ca.pem',
      UV_CACHE_DIR: '/cache/uv',
    });
  });

  it('are left alone where the user set uv itself', () => {
    const own = { UV_INDEX_URL: 'https://own.example/simple', UV_CACHE_DIR: '/own' };
    const env = uvEnvironment({ PIP_INDEX_URL: 'https://mirror.example/simple', ...own });
    expect(env).toMatchObject(own);
    expect(env).not.toHaveProperty('UV_DEFAULT_INDEX');
  });

  it('are the defaults where nothing is set', () => {
    expect(uvEnvironment({})).not.toHaveProperty('UV_DEFAULT_INDEX');
  });
});

describe('the device', () => {
  const device = (env: Record<string, string> = {}) =>
    python('from provisioning.settings import device; print(device())', env);

  it('is what SAIP_DEVICE says, and nothing else', () => {
    expect(device({ SAIP_DEVICE: 'cuda' })).toBe('cuda');
    expect(device({ SAIP_DEVICE: 'cpu' })).toBe('cpu');
    expect(() => device({ SAIP_DEVICE: 'tpu' })).toThrow(/SAIP_DEVICE is 'tpu'/);
  });
});

describe('two set-ups at once', () => {
  const holder = (lock: string) => `
import sys
from pathlib import Path
from provisioning.lock import exclusive
with exclusive(Path(${JSON.stringify(lock)})):
    print("in", flush=True)
    sys.stdin.readline()
`;

  it('take turns, and a killed one leaves no lock behind', async () => {
    const script = holder(join(folder, 'lock'));
    const first = start(script);
    await once(createInterface({ input: first.stdout }), 'line');
    const second = start(script);
    const lines = createInterface({ input: second.stdout });
    const [waiting] = (await once(lines, 'line')) as [string];
    expect(waiting).toContain(`waiting for another set-up (pid ${first.pid})`);
    first.kill('SIGKILL');
    const [entered] = (await once(lines, 'line')) as [string];
    expect(entered).toBe('in');
    second.stdin.end('\n');
    await once(second, 'exit');
  });
});

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CHECKOUT } from '../../infra/local/index.ts';

const SCRIPT = join(CHECKOUT, 'infra/toolchain/preflight.sh');
/** What the script itself needs; everything else is what it looks for. */
const BASICS = ['sh', 'uname', 'getconf', 'awk', 'dirname', 'df', 'id'];

let path: string;

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'saip-path-'));
  provide(...BASICS);
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

function provide(...commands: string[]): void {
  for (const command of commands) {
    const found = execFileSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).trim();
    symlinkSync(found, join(path, command));
  }
}

function preflight(env: Record<string, string> = {}) {
  const { status, stderr } = spawnSync('sh', [SCRIPT], {
    encoding: 'utf8',
    env: { PATH: path, HOME: tmpdir(), ...env },
  });
  return { status, lines: stderr.split('\n').filter((line) => line !== '') };
}

describe('the check before the set-up', () => {
  it('passes on this machine', () => {
    provide('python3', 'make', 'git', 'g++');
    expect(preflight({ PATH: process.env.PATH ?? '' })).toEqual({ status: 0, lines: [] });
  });

  it('names everything that is missing at once, each with its mend', () => {
    const { status, lines } = preflight();
    expect(status).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(/^missing: Python 3\.10 or newer .* — install python3/),
      expect.stringMatching(/^missing: make — .*apt-get install make/),
      expect.stringMatching(/^missing: git — .*apt-get install git/),
      expect.stringMatching(/^missing: a C\+\+ compiler — .*apt-get install g\+\+/),
    ]);
  });

  it('refuses an old Python and a disk that is too small', () => {
    provide('make', 'git', 'g++');
    const old = join(path, 'python-old');
    writeFileSync(old, '#!/bin/sh\n[ "$1" = -V ] && echo Python 3.8.10\nexit 1\n', { mode: 0o755 });
    const { lines } = preflight({ PYTHON: old, SAIP_DISK_GIB: '9999999', SAIP_CACHE: path });
    expect(lines).toEqual([
      expect.stringMatching(/^missing: Python 3\.10 or newer \(.*python-old is Python 3\.8\.10\)/),
      expect.stringMatching(/^missing: 9999999 GiB of free disk space .* — make room, or set SAIP_CACHE/),
    ]);
  });
});

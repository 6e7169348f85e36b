import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CHECKOUT, loadToolchain, readStackState, removeStack, stackLayout } from '../../infra/local/index.ts';
import { readStackId } from '../../infra/local/identity.ts';
import { rootDataDirectory } from '../../infra/local/layout.ts';
import { createTestHome, startStack } from '../support/stack-process.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

let home: string | undefined;

afterEach(async () => {
  if (home === undefined) return;
  await removeStack(home);
  rmSync(home, { recursive: true, force: true });
});

/** Owner of the running PostgreSQL. */
function postgresUid(of: string): number {
  const pid = readStackState(stackLayout(of).stateFile)?.services.find(({ name }) => name === 'postgres')?.pid;
  return statSync(`/proc/${pid}`).uid;
}

describe('a state directory that only its owner can enter', () => {
  it('holds a stack whose database runs without privileges', async () => {
    home = createTestHome();
    chmodSync(home, 0o700);
    await startStack(home, ['postgres']);
    expect(postgresUid(home)).not.toBe(0);
    const outside = rootDataDirectory(readStackId(stackLayout(home)) ?? '');
    const data = isRoot ? outside : stackLayout(home).data;
    expect(readFileSync(join(data, 'postgres', 'PG_VERSION'), 'utf8')).toMatch(/^\d+/);
    expect(statSync(join(data, 'postgres')).mode & 0o777).toBe(0o700);

    await removeStack(home);
    expect(() => statSync(outside)).toThrow(/ENOENT/);
  });
});

/** Folders on the way to `path` let every account pass. */
function isOpen(path: string): boolean {
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
  }
  return true;
}

const canSwitch = isRoot && isOpen(CHECKOUT) && isOpen(loadToolchain().node);

describe('an ordinary user', () => {
  (canSwitch ? it : it.skip)('has everything in the state directory', () => {
    home = createTestHome();
    chownSync(home, NOBODY, NOBODY);
    const saip = (...args: string[]) =>
      spawnSync(join(CHECKOUT, 'saip'), args, {
        uid: NOBODY,
        gid: NOBODY,
        encoding: 'utf8',
        env: { PATH: process.env.PATH ?? '', HOME: home, SAIP_HOME: home },
      });
    expect(saip('up', '--only', 'postgres')).toMatchObject({ status: 0, stderr: '' });
    expect(postgresUid(home)).toBe(NOBODY);
    expect(statSync(join(stackLayout(home).data, 'postgres')).uid).toBe(NOBODY);
    expect(saip('down')).toMatchObject({ status: 0, stdout: 'Stopped.\n' });
  });
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { gitCommit } from '../../activities/training/git-commit.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'saip-git-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function git(...args: string[]): string {
  const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.com'];
  return execFileSync('git', [...identity, ...args], { cwd: folder, encoding: 'utf8' }).trim();
}

describe('gitCommit', () => {
  it('is unknown outside a repository', () => {
    expect(gitCommit(folder)).toBe('unknown');
  });

  it('tells the commit, and local changes to it', () => {
    git('init', '-q');
    writeFileSync(join(folder, 'file'), 'one');
    git('add', 'file');
    git('commit', '-q', '-m', 'one');
    const commit = git('rev-parse', 'HEAD');
    expect(gitCommit(folder)).toBe(commit);
    writeFileSync(join(folder, 'file'), 'two');
    expect(gitCommit(folder)).toBe(`${commit}-dirty`);
  });

  it('does not take the commit of a repository around an exported tree', () => {
    git('init', '-q');
    git('commit', '-q', '--allow-empty', '-m', 'around');
    const exported = join(folder, 'exported');
    mkdirSync(exported);
    expect(gitCommit(exported)).toBe('unknown');
  });
});

import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';

const CHECKOUT = join(import.meta.dirname, '..', '..');

/** Commit of the code that runs, with `-dirty` for local changes; `unknown` in a tree that is no checkout of its own. */
export function gitCommit(checkout: string = CHECKOUT): string {
  try {
    // A copy inside some other repository must not take that one's commit.
    if (realpathSync(git(checkout, 'rev-parse', '--show-toplevel')) !== realpathSync(checkout)) return 'unknown';
    return git(checkout, 'describe', '--always', '--dirty', '--abbrev=40', '--exclude=*');
  } catch {
    return 'unknown';
  }
}

function git(checkout: string, ...args: string[]): string {
  const output = execFileSync('git', args, { cwd: checkout, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return output.trim();
}

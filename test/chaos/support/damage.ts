import { chmodSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';
import { ArtifactRef } from '../../../contracts/reference.ts';
import { openResources } from '../../../workers/shared/resources.ts';
import type { ChaosStack } from './chaos-stack.ts';

/** Changes one bit of an artifact, as a failing disk would. */
export function flipBit(stack: ChaosStack, sha256: string): void {
  const path = join(stack.artifacts, 'sha256', sha256.slice(0, 2), sha256);
  chmodSync(path, 0o600);
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  writeFileSync(path, bytes);
  stack.damaged.add(path);
}

/** Digest of the artifact of exactly this many bytes. */
export function artifactOfSize(stack: ChaosStack, bytes: number): string {
  const found = globSync(join(stack.artifacts, 'sha256', '*', '*')).find((path) => statSync(path).size === bytes);
  if (found === undefined) throw new Error(`no artifact of ${bytes} bytes`);
  return found.slice(-64);
}

/** Digest of the newest checkpoint of a run. */
export async function newestCheckpoint(stack: ChaosStack, workflowId: string): Promise<string> {
  const resources = openResources(stack.full.config('worker-gpu'));
  try {
    const sql = 'SELECT ref FROM training_checkpoints WHERE key LIKE $1 ORDER BY step DESC LIMIT 1';
    const { rows } = await (await resources.database()).query(sql, [`${workflowId}/%`]);
    return z.object({ ref: ArtifactRef }).parse(rows[0]).ref.sha256;
  } finally {
    await resources.close();
  }
}

/** A disk that has no room. */
export interface FullDisk {
  /** What the failure says. */
  readonly says: string;
  readonly makeRoom: () => void;
  readonly remove: () => void;
}

/**
 * Puts a small disk in the place of the artifact store. Where mounting is not allowed a folder that takes no files stands
 * in for it: another system error, and the same way out.
 */
export function fillDisk(stack: ChaosStack, mebibytes: number): FullDisk {
  const { artifacts } = stack;
  if (process.getuid?.() !== 0) {
    const temporary = join(artifacts, 'tmp');
    chmodSync(temporary, 0o500);
    const makeRoom = (): void => chmodSync(temporary, 0o750);
    return { says: 'could not be stored', makeRoom, remove: makeRoom };
  }
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0750`, 'tmpfs', artifacts]);
  for (const folder of ['tmp', 'sha256']) mkdirSync(join(artifacts, folder), { mode: 0o750 });
  return {
    says: 'no space is left',
    makeRoom: () => execFileSync('mount', ['-o', 'remount,size=2g', artifacts]),
    remove: () => execFileSync('umount', [artifacts]),
  };
}

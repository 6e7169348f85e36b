import { open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeLine } from './lines.ts';

const SUFFIX = '.spool';
/** Bytes that are read, and records that are sent, at a time. */
const CHUNK = 2 * 1024 * 1024;

/** Records that follow each other in a segment. */
export interface Batch {
  /** JSON array. */
  readonly json: string;
  readonly count: number;
  /** Lines in it that are not what was written. */
  readonly damaged: number;
  /** Where the next batch begins. */
  readonly end: number;
}

export function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}${SUFFIX}`;
}

/** The segments of a folder, oldest first. */
export async function segmentsIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(SUFFIX)).sort();
  return names.map((name) => join(folder, name));
}

/**
 * Reads whole lines from `start` on, up to `end`. A last line without its end was never acknowledged: it is left out.
 * @returns undefined where no whole line is left
 */
export async function readBatch(file: string, start: number, end: number): Promise<Batch | undefined> {
  const handle = await open(file, 'r');
  try {
    const bytes = await readBytes(handle, start, Math.min(CHUNK, end - start));
    const length = bytes.lastIndexOf(0x0a) + 1;
    if (length === 0) return undefined;
    const lines = bytes
      .toString('utf8', 0, length - 1)
      .split('\n')
      .map(decodeLine);
    const whole = lines.filter((line) => line !== undefined);
    return {
      json: `[${whole.join(',')}]`,
      count: whole.length,
      damaged: lines.length - whole.length,
      end: start + length,
    };
  } finally {
    await handle.close();
  }
}

async function readBytes(handle: FileHandle, start: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/** Removes a segment whose records are in the log; one with damage is kept beside, for whoever looks into it. */
export async function finishSegment(file: string, { damaged }: { readonly damaged: boolean }): Promise<void> {
  if (damaged) await rename(file, `${file}.damaged`).catch(ignoreMissing);
  else await rm(file, { force: true });
}

/** Another process may have finished it as well: records count once. */
function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

const CHUNK = 64 * 1024;
const NEWLINE = 0x0a;

/** Reads a log from its end, and what is added to it. The file is kept open, so that nothing is lost at its rotation. */
export class LogTail {
  readonly #path: string;
  #fd: number | undefined;
  /** After the last complete line that was returned. */
  #position = 0;

  constructor(path: string) {
    this.#path = path;
    this.#fd = open(path);
  }

  /** The last `count` complete lines; `added` goes on after them. */
  last(count: number): string[] {
    if (this.#fd === undefined) return [];
    const size = fstatSync(this.#fd).size;
    let bytes = Buffer.alloc(0);
    let start = size;
    while (start > 0 && newlines(bytes) <= count) {
      const length = Math.min(CHUNK, start);
      start -= length;
      bytes = Buffer.concat([read(this.#fd, start, length), bytes]);
    }
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    this.#position = start + end;
    const lines = bytes.toString('utf8', 0, end).split('\n').slice(0, -1);
    return count === 0 ? [] : lines.slice(-count);
  }

  /** Complete lines that were written since the last call. */
  added(): string[] {
    const lines = this.#rest();
    const current = statSync(this.#path, { throwIfNoEntry: false });
    const rotated = current !== undefined && (this.#fd === undefined || current.ino !== fstatSync(this.#fd).ino);
    if (!rotated) return lines;
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = open(this.#path);
    this.#position = 0;
    return [...lines, ...this.#rest()];
  }

  #rest(): string[] {
    if (this.#fd === undefined) return [];
    const bytes = read(this.#fd, this.#position, fstatSync(this.#fd).size - this.#position);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    this.#position += end;
    return bytes.toString('utf8', 0, end).split('\n').slice(0, -1);
  }
}

function open(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    // Not written yet, or between two files while it is rotated.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function newlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}

function read(fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(Math.max(0, length));
  return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, position));
}

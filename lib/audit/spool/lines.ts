import { crc32 } from 'node:zlib';

/** More than usually waits together, in bytes. */
const USUAL = 256 * 1024;
const CHECKSUM = 8;
/** Bytes around the JSON of a line: checksum, space, end. */
const AROUND = CHECKSUM + 2;
const DIGITS = Buffer.from('0123456789abcdef');

/**
 * Lines `<crc32 of the JSON> <JSON>\n` on their way to a file, as the bytes that will be written: each is encoded once, into
 * memory that stays.
 */
export class Lines {
  #buffer = Buffer.allocUnsafe(USUAL);
  #length = 0;

  /** Bytes that were added. */
  get length(): number {
    return this.#length;
  }

  /** What was added; what is added after `clear` is written over it. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** @returns bytes of the line */
  add(json: string): number {
    // A character of a string has three bytes in UTF-8 at most.
    this.#reserve(3 * json.length + AROUND);
    const start = this.#length;
    const end = start + CHECKSUM + 1 + this.#buffer.write(json, start + CHECKSUM + 1);
    let rest = crc32(json);
    for (let at = start + CHECKSUM - 1; at >= start; at -= 1) {
      this.#buffer[at] = DIGITS[rest & 15] as number;
      rest >>>= 4;
    }
    this.#buffer[start + CHECKSUM] = 0x20;
    this.#buffer[end] = 0x0a;
    this.#length = end + 1;
    return this.#length - start;
  }

  /** Takes the last bytes back. */
  drop(bytes: number): void {
    this.#length -= bytes;
  }

  clear(): void {
    this.#length = 0;
    // After a burst the memory goes back.
    if (this.#buffer.length > USUAL) this.#buffer = Buffer.allocUnsafe(USUAL);
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#length + bytes, 2 * this.#buffer.length));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** @returns the JSON; undefined where the line is not what was written */
export function decodeLine(line: string): string | undefined {
  const json = line.slice(CHECKSUM + 1);
  const sum = crc32(json).toString(16).padStart(CHECKSUM, '0');
  return line[CHECKSUM] === ' ' && line.slice(0, CHECKSUM) === sum ? json : undefined;
}

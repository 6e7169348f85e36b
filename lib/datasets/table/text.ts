import { isUtf8 } from 'node:buffer';
import type { DatasetError } from '../errors.ts';
import { tableError } from './problems.ts';

const NEWLINE = 0x0a;

/**
 * The chunks of a file, cut so that no character is divided, once they are known to be UTF-8 text.
 * @throws DatasetError `DATASET_TABLE_INVALID` naming the line of the first byte that is none
 */
export async function* utf8Text(source: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  let line = 1;
  let first = true;
  for await (const chunk of source) {
    const bytes = Buffer.concat([rest, chunk]);
    if (first) refuseOtherFormats(bytes, file);
    first = false;
    const whole = bytes.subarray(0, completeLength(bytes));
    if (!isUtf8(whole)) throw notText(file, line + badLine(whole), 'is not UTF-8; save the file with that encoding');
    const nul = whole.indexOf(0);
    if (nul !== -1) throw notText(file, line + newlines(whole.subarray(0, nul)), 'holds a NUL byte; this is no text');
    line += newlines(whole);
    rest = bytes.subarray(whole.length);
    yield whole;
  }
  if (rest.length > 0) throw notText(file, line, 'ends in the middle of a UTF-8 character');
}

/** Says what a file is where its first bytes tell; what they do not tell is found as text that is none. */
function refuseOtherFormats(bytes: Buffer, file: string): void {
  const start = bytes.subarray(0, 4).toString('latin1');
  if (start.startsWith('\u00ff\u00fe') || start.startsWith('\u00fe\u00ff'))
    throw notText(file, 1, 'is UTF-16; save the file as UTF-8');
  if (start === 'PK\u0003\u0004')
    throw notText(file, 1, 'begins a ZIP archive, such as a spreadsheet; export it as CSV');
}

/** Bytes up to the last whole character. */
function completeLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needed > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}

function newlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}

/** Lines before the one that is not UTF-8. */
function badLine(bytes: Buffer): number {
  let line = 0;
  for (let from = 0; from < bytes.length; line += 1) {
    const end = bytes.indexOf(NEWLINE, from);
    const to = end === -1 ? bytes.length : end + 1;
    if (!isUtf8(bytes.subarray(from, to))) return line;
    from = to;
  }
  return line;
}

function notText(file: string, line: number, message: string): DatasetError {
  return tableError(file, [{ line, message }]);
}

import { AuditError } from '../errors.ts';

const LENGTH_BYTES = 2;
const LONGEST = 0xffff;

/** Entries, each after its length as a big-endian uint16 (C2SP tlog-tiles, "Log entries"). */
export function encodeBundle(entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      if (entry.length > LONGEST) throw new AuditError('AUDIT_NOTE_INVALID', 'An entry is longer than a bundle takes.');
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );
}

/** The entries of a bundle; one that is cut off is left out, with all after it. */
export function decodeBundle(bundle: Uint8Array): Buffer[] {
  const bytes = Buffer.from(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const entries: Buffer[] = [];
  for (let at = 0; at + LENGTH_BYTES <= bytes.length;) {
    const start = at + LENGTH_BYTES;
    const end = start + bytes.readUInt16BE(at);
    if (end > bytes.length) break;
    entries.push(bytes.subarray(start, end));
    at = end;
  }
  return entries;
}

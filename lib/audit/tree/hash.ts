import { hash } from 'node:crypto';

/** Bytes of a SHA-256 digest. */
export const HASH_BYTES = 32;

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
/** What is hashed is put together here: an array of its own for each hash would cost more than the hash. */
const scratch = Buffer.alloc(64 * 1024);

/**
 * Writes the digest of `bytes` at `at` of `to`. It comes out of OpenSSL as text of one byte a character, which Node makes
 * three times faster than a buffer.
 */
function digest(bytes: Uint8Array, to: Buffer, at: number): void {
  to.write(hash('sha256', bytes, 'binary'), at, HASH_BYTES, 'latin1');
}

export function sha256(bytes: Uint8Array): Buffer {
  const made = Buffer.allocUnsafe(HASH_BYTES);
  digest(bytes, made, 0);
  return made;
}

/** SHA-256 over bytes and the text, in UTF-8, that follows them. */
export function sha256Of(before: Uint8Array, text: string): Buffer {
  // A character of a string has three bytes in UTF-8 at most.
  if (before.length + 3 * text.length > scratch.length) return sha256(Buffer.concat([before, Buffer.from(text)]));
  scratch.set(before);
  const length = before.length + scratch.write(text, before.length);
  return sha256(scratch.subarray(0, length));
}

/** Root of the tree without leaves (RFC 6962 section 2.1). */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array());

/** `SHA-256(0x00 || entry)` (RFC 6962 section 2.1); text counts as its UTF-8. */
export function leafHash(entry: Uint8Array | string): Buffer {
  return typeof entry === 'string' ? sha256Of(LEAF, entry) : sha256(Buffer.concat([LEAF, entry]));
}

/** `SHA-256(0x01 || left || right)` (RFC 6962 section 2.1). The prefixes keep a node from passing for a leaf. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return sha256(Buffer.concat([NODE, left, right]));
}

const pair = Buffer.concat([NODE, Buffer.alloc(2 * HASH_BYTES)]);

/** Replaces hashes that lie one after the other by those of their pairs: half as many, in the first half. */
export function raise(row: Buffer, hashes: number): void {
  for (let from = 0; from < hashes; from += 2) {
    row.copy(pair, NODE.length, from * HASH_BYTES, (from + 2) * HASH_BYTES);
    digest(pair, row, (from / 2) * HASH_BYTES);
  }
}

export function equal(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

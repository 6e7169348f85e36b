import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { AuditError } from '../errors.ts';
import { sha256 } from '../tree/hash.ts';

/** Signature type of Ed25519 (C2SP signed-note, "Signature types"). */
const ED25519 = 0x01;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const MOST_SIGNATURES = 64;
/** Control characters below the space, but for the newline: the format forbids them. */
const FORBIDDEN = /[^\n -\u{10ffff}]/u;
const NAME = /^[^\s+\p{White_Space}]+$/u;

/** Who signs notes, by the encoding of C2SP signed-note: name, key id and Ed25519 key. */
export interface NoteKey {
  readonly name: string;
  /** Eight hexadecimal digits. */
  readonly id: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** Signs the text of a note: 64 bytes (RFC 8032). */
export type NoteSigner = (text: Uint8Array) => Promise<Uint8Array>;

/** @param publicKey of Ed25519, 32 bytes */
export function noteKey(name: string, publicKey: Uint8Array): NoteKey {
  if (!NAME.test(name)) throw new AuditError('AUDIT_NOTE_INVALID', 'The name of a key has no spaces and no plus.');
  if (publicKey.length !== KEY_BYTES) throw new AuditError('AUDIT_NOTE_INVALID', 'An Ed25519 key has 32 bytes.');
  const typed = Buffer.concat([Buffer.from(`${name}\n`), Uint8Array.of(ED25519), publicKey]);
  return { name, publicKey, id: sha256(typed).toString('hex', 0, 4) };
}

/** `<name>+<id>+<base64 of type and key>`: a key as it is handed to those who verify. */
export function formatVerifierKey({ name, id, publicKey }: NoteKey): string {
  return `${name}+${id}+${Buffer.concat([Uint8Array.of(ED25519), publicKey]).toString('base64')}`;
}

/** @throws AuditError AUDIT_NOTE_INVALID */
export function parseVerifierKey(text: string): NoteKey {
  const [, name = '', id, encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text.trim()) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes[0] !== ED25519 || bytes.length !== KEY_BYTES + 1) {
    throw new AuditError('AUDIT_NOTE_INVALID', 'This is no verifier key of Ed25519: NAME+ID+KEY.');
  }
  const key = noteKey(name, bytes.subarray(1));
  if (key.id !== id) throw new AuditError('AUDIT_NOTE_INVALID', 'The id of the verifier key does not belong to it.');
  return key;
}

/** @param text ends with a newline and holds no other control character */
export async function signNote(text: string, key: NoteKey, sign: NoteSigner): Promise<string> {
  const signature = await sign(Buffer.from(text));
  const note = `${text}\n${signatureLine(key, signature)}`;
  // A signer that answered with another key's signature must not get a note out.
  openNote(note, [key]);
  return note;
}

function signatureLine({ name, id }: NoteKey, signature: Uint8Array): string {
  return `\u2014 ${name} ${Buffer.concat([Buffer.from(id, 'hex'), signature]).toString('base64')}\n`;
}

/**
 * The text of a note that one of `keys` signed. Signatures of unknown keys are passed over; one of a known key that does
 * not hold refuses the whole note.
 * @throws AuditError AUDIT_NOTE_INVALID, AUDIT_KEY_UNTRUSTED
 */
export function openNote(note: string, keys: readonly NoteKey[]): string {
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n') || !note.isWellFormed() || FORBIDDEN.test(note)) {
    throw new AuditError('AUDIT_NOTE_INVALID', 'This is no signed note.');
  }
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > MOST_SIGNATURES) throw new AuditError('AUDIT_NOTE_INVALID', 'The note has too many signatures.');
  const found = lines.map(parseSignature).flatMap((signature) => {
    const key = keys.find(({ name, id }) => name === signature.name && id === signature.id);
    return key === undefined ? [] : [{ key, signature }];
  });
  for (const { key, signature } of found) {
    if (verify(undefined, Buffer.from(text), keyObject(key), signature.bytes)) continue;
    throw new AuditError('AUDIT_KEY_UNTRUSTED', `The signature of ${key.name} does not belong to this text.`);
  }
  if (found.length > 0) return text;
  throw new AuditError('AUDIT_KEY_UNTRUSTED', 'None of the trusted keys signed this note.');
}

function parseSignature(line: string): { readonly name: string; readonly id: string; readonly bytes: Uint8Array } {
  const [, name, encoded = ''] = /^\u2014 ([^ +]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  if (name === undefined || bytes.length < 5) {
    throw new AuditError('AUDIT_NOTE_INVALID', 'A signature line of the note cannot be read.');
  }
  return { name, id: bytes.toString('hex', 0, 4), bytes: bytes.subarray(4) };
}

function keyObject({ publicKey }: NoteKey): KeyObject {
  const x = Buffer.from(publicKey).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

export { SIGNATURE_BYTES };

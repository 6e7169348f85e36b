import { randomBytes, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** `saip_`, twelve characters that name the key, 256 random bits, and the CRC-32 of everything before. */
const FORMAT = /^saip_([a-z2-7]{12})_([\w-]{43})([0-9a-f]{8})$/;
const PREFIX = 'saip_';
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const ID_LENGTH = 12;
const SECRET_BYTES = 32;
const CHECKSUM_LENGTH = 8;

export interface MintedKey {
  /** Names the key in lists and logs; no secret. */
  readonly id: string;
  /** What its owner sends. Shown once, stored nowhere. */
  readonly key: string;
}

/** Whether a credential claims to be an API key, well formed or not. */
export function looksLikeApiKey(credential: string): boolean {
  return credential.startsWith(PREFIX);
}

/** A new key; with `id`, a new secret for a key that exists. */
export function mintApiKey(id: string = randomId()): MintedKey {
  const body = `${PREFIX}${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  return { id, key: body + checksum(body) };
}

/**
 * The id of a well-formed key. The checksum is no protection: it lets typing errors and scanners of leaked secrets be
 * answered without a look into the database.
 */
export function apiKeyId(key: string): string | undefined {
  const id = FORMAT.exec(key)?.[1];
  return key.endsWith(checksum(key.slice(0, -CHECKSUM_LENGTH))) ? id : undefined;
}

function randomId(): string {
  return Array.from({ length: ID_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

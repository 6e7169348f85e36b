import { createHash, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { KeyAction } from '../../contracts/api-keys.ts';
import { isSaipError } from '../../contracts/errors.ts';
import type { Role } from '../../contracts/roles.ts';
import { apiKeyId } from './api-key.ts';
import { IdentityError, type Refusal } from './errors.ts';

/** What is stored of a key. Times are milliseconds since the epoch. */
export interface StoredKey {
  readonly id: string;
  readonly owner: string;
  readonly tenant: string;
  readonly roles: readonly Role[];
  readonly actions: readonly KeyAction[];
  readonly models?: readonly string[];
  /** Keyed hash of the whole key. */
  readonly hash: string;
  /** Of the key before the last rotation, and until when that one works. */
  readonly formerHash?: string;
  readonly formerUntil?: number;
  readonly expiresAt: number;
  readonly revokedAt?: number;
}

export interface ApiKeyVerifierOptions {
  readonly store: {
    find(id: string): Promise<StoredKey | undefined>;
    /** Called at most once a minute for each key. */
    used(id: string): Promise<void>;
  };
  /** The keyed hash of `text` under the version that made `like`. */
  readonly hash: (text: string, like: string) => Promise<string>;
  /** A revocation counts after this time at the latest, in milliseconds; default 3 s. */
  readonly freshMs?: number;
  /** While the store is away known keys go on working for this long, in milliseconds; default five minutes. */
  readonly staleMs?: number;
  readonly now?: () => number;
}

interface Seen {
  readonly stored: StoredKey;
  readonly readAt: number;
}

const USED_EVERY_MS = 60_000;
const REMEMBERED = 10_000;

/**
 * Recognises API keys. A hash, which costs a request to the vault, is computed once for each key and process and is
 * remembered under the key's SHA-256; what is stored is read anew every few seconds, so that a revocation counts soon.
 */
export class ApiKeyVerifier {
  readonly #options: Required<ApiKeyVerifierOptions>;
  readonly #hashes = new LRUCache<string, string>({ max: REMEMBERED });
  readonly #seen = new LRUCache<string, Seen>({ max: REMEMBERED });
  readonly #used = new LRUCache<string, number>({ max: REMEMBERED });
  readonly #reading = new Map<string, Promise<StoredKey | undefined>>();

  constructor(options: ApiKeyVerifierOptions) {
    this.#options = { freshMs: 3_000, staleMs: 300_000, now: Date.now, ...options };
  }

  /** Throws `API_KEY_INVALID`, or what store and vault throw. */
  async verify(key: string): Promise<StoredKey> {
    const id = apiKeyId(key);
    if (id === undefined) throw refusal('is malformed', 'malformed');
    const stored = await this.#find(id);
    // Nobody who does not hold the key learns whether one of this id exists, has expired or was revoked.
    if (stored === undefined || !(await this.#matches(key, stored))) throw refusal('is unknown', 'unknown');
    if (stored.revokedAt !== undefined) throw refusal('was revoked', 'revoked');
    if (stored.expiresAt <= this.#options.now()) throw refusal('has expired', 'expired');
    this.#note(id);
    return stored;
  }

  /** What is known of the key is read again at its next use. */
  forget(id: string): void {
    this.#seen.delete(id);
  }

  async #find(id: string): Promise<StoredKey | undefined> {
    const { now, freshMs, staleMs } = this.#options;
    const seen = this.#seen.get(id);
    if (seen !== undefined && now() - seen.readAt < freshMs) return seen.stored;
    try {
      return await this.#read(id);
    } catch (error) {
      const known = seen !== undefined && now() - seen.readAt < staleMs;
      if (known && isSaipError(error) && error.spec.retryable) return seen.stored;
      throw error;
    }
  }

  #read(id: string): Promise<StoredKey | undefined> {
    const reading = this.#reading.get(id) ?? this.#load(id).finally(() => this.#reading.delete(id));
    this.#reading.set(id, reading);
    return reading;
  }

  async #load(id: string): Promise<StoredKey | undefined> {
    const readAt = this.#options.now();
    const stored = await this.#options.store.find(id);
    if (stored === undefined) this.#seen.delete(id);
    else this.#seen.set(id, { stored, readAt });
    return stored;
  }

  async #matches(key: string, { hash, formerHash, formerUntil = 0 }: StoredKey): Promise<boolean> {
    if (equal(await this.#hash(key, hash), hash)) return true;
    if (formerHash === undefined || formerUntil <= this.#options.now()) return false;
    return equal(await this.#hash(key, formerHash), formerHash);
  }

  async #hash(key: string, like: string): Promise<string> {
    const fingerprint = createHash('sha256').update(key).update(versionOf(like)).digest('base64');
    const known = this.#hashes.get(fingerprint);
    if (known !== undefined) return known;
    const hash = await this.#options.hash(key, like);
    this.#hashes.set(fingerprint, hash);
    return hash;
  }

  #note(id: string): void {
    const { now, store } = this.#options;
    if (now() - (this.#used.get(id) ?? -Infinity) < USED_EVERY_MS) return;
    this.#used.set(id, now());
    // When it was last used is for people to read; no request fails for it.
    store.used(id).catch(() => this.#used.delete(id));
  }
}

function versionOf(hash: string): string {
  return hash.slice(0, hash.lastIndexOf(':') + 1);
}

function equal(a: string, b: string): boolean {
  const [first, second] = [Buffer.from(a), Buffer.from(b)];
  return first.length === second.length && timingSafeEqual(first, second);
}

function refusal(what: string, reason: Refusal): IdentityError {
  return new IdentityError('API_KEY_INVALID', `The API key ${what}.`, { reason });
}

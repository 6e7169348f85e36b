import { createSecretKey, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** Makes and unwraps data keys; `BaoClient` with a transit key is one. */
export interface KeyWrapper {
  generate(): Promise<{ readonly plaintext: Buffer; readonly wrapped: string }>;
  unwrap(wrapped: string): Promise<Buffer>;
}

export interface DataKey {
  readonly key: KeyObject;
  readonly wrapped: string;
}

export interface KeyringOptions {
  readonly wrapper: KeyWrapper;
  /** A data key encrypts for this long, milliseconds; default one hour. */
  readonly maxAgeMs?: number;
  /**
   * A data key encrypts this many payloads; default 2^20. NIST SP 800-38D section 8.3 allows 2^32 for random 96-bit
   * nonces; at 2^20 the chance of one repeated nonce is below 2^-56.
   */
  readonly maxUses?: number;
  /** Data keys kept unwrapped for decryption; default 1,000. */
  readonly cacheSize?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

interface Current extends DataKey {
  readonly madeAt: number;
  uses: number;
}

/** Unwrapped keys are asked for again after this time, so that a withdrawn wrapping key takes effect. */
const UNWRAPPED_TTL_MS = 3_600_000;

/** Holds the data key in use and the recently unwrapped ones; keys stay inside KeyObjects, which do not print. */
export class Keyring {
  readonly #wrapper: KeyWrapper;
  readonly #maxAgeMs: number;
  readonly #maxUses: number;
  readonly #now: () => number;
  readonly #unwrapped: LRUCache<string, KeyObject>;
  #current: Promise<Current> | undefined;

  constructor(options: KeyringOptions) {
    this.#wrapper = options.wrapper;
    this.#maxAgeMs = options.maxAgeMs ?? 3_600_000;
    this.#maxUses = options.maxUses ?? 2 ** 20;
    this.#now = options.now ?? Date.now;
    this.#unwrapped = new LRUCache<string, KeyObject>({
      max: options.cacheSize ?? 1000,
      ttl: UNWRAPPED_TTL_MS,
      // One request serves all payloads of a history that wait for the same key.
      fetchMethod: async (wrapped) => toKey(await this.#wrapper.unwrap(wrapped)),
    });
  }

  /** The key to encrypt the next payload with; counts as one use. */
  async encryptionKey(): Promise<DataKey> {
    for (;;) {
      const pending = (this.#current ??= this.#generate());
      const current = await pending;
      if (current.uses < this.#maxUses && this.#now() - current.madeAt < this.#maxAgeMs) {
        current.uses += 1;
        return current;
      }
      if (this.#current === pending) this.#current = undefined;
    }
  }

  /** The key behind a wrapped one. Throws what the wrapper throws. */
  async decryptionKey(wrapped: string): Promise<KeyObject> {
    return await this.#unwrapped.forceFetch(wrapped);
  }

  async #generate(): Promise<Current> {
    try {
      const { plaintext, wrapped } = await this.#wrapper.generate();
      const key = toKey(plaintext);
      this.#unwrapped.set(wrapped, key);
      return { key, wrapped, madeAt: this.#now(), uses: 0 };
    } catch (error) {
      this.#current = undefined;
      throw error;
    }
  }
}

function toKey(plaintext: Buffer): KeyObject {
  const key = createSecretKey(plaintext);
  plaintext.fill(0);
  return key;
}

/** Data keys wrapped by a symmetric transit key of OpenBao. */
export function transitWrapper(
  client: {
    datakey(key: string): Promise<{ readonly plaintext: Buffer; readonly wrapped: string }>;
    decryptDatakey(key: string, wrapped: string): Promise<Buffer>;
  },
  key = 'payloads',
): KeyWrapper {
  return {
    generate: () => client.datakey(key),
    unwrap: (wrapped) => client.decryptDatakey(key, wrapped),
  };
}

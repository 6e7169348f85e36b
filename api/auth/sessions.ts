import { createHash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Caller } from '../http/route.ts';

/** Sessions are few: one for each person who looks at histories. */
const MAX_SESSIONS = 1000;

/** Where several processes answer, each tells the others of its sessions. */
export interface SessionExchange {
  publish(fingerprint: string, caller: Caller | undefined): void;
  subscribe(onSession: (fingerprint: string, caller: Caller | undefined) => void): void;
}

/**
 * Browser sessions for the codec endpoint. The cookie holds a random id and not a token, so that another server on the
 * same host, which browsers send the cookie to as well, cannot call the API with it. Sessions end with the API.
 */
export class Sessions {
  readonly #sessions: LRUCache<string, Caller>;
  readonly #now: () => number;

  readonly #others: SessionExchange | undefined;

  constructor(options: { now?: () => number; others?: SessionExchange | undefined } = {}) {
    this.#sessions = new LRUCache({ max: MAX_SESSIONS });
    this.#now = options.now ?? Date.now;
    this.#others = options.others;
    this.#others?.subscribe((mark, caller) => {
      if (caller === undefined) this.#sessions.delete(mark);
      else this.#sessions.set(mark, caller);
    });
  }

  /** Begins a session that ends at `caller.expiresAt`; returns its id for the cookie. */
  begin(caller: Caller): string {
    const id = randomBytes(32).toString('base64url');
    this.#sessions.set(fingerprint(id), caller);
    this.#others?.publish(fingerprint(id), caller);
    return id;
  }

  find(id: string): Caller | undefined {
    const caller = this.#sessions.get(fingerprint(id));
    if (caller && caller.expiresAt * 1000 > this.#now()) return caller;
    this.end(id);
    return undefined;
  }

  end(id: string): void {
    if (this.#sessions.delete(fingerprint(id))) this.#others?.publish(fingerprint(id), undefined);
  }
}

/** A memory dump shows no usable id. */
function fingerprint(id: string): string {
  return createHash('sha256').update(id).digest('base64');
}

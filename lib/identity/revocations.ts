import { IdentityError } from './errors.ts';

export interface RevocationsOptions {
  /** Ids (`jti`) of the tokens that were revoked and have not expired. */
  readonly load: () => Promise<readonly string[]>;
  /** Time between two looks, in milliseconds; default 2 s. */
  readonly everyMs?: number;
  /** A list older than this is not trusted, in milliseconds; default five minutes. */
  readonly staleMs?: number;
  readonly now?: () => number;
}

/**
 * The access tokens that ended before their time, as this process knows them: what another process revoked counts here
 * after `everyMs` at the latest. While the list cannot be read the last one counts, but not for ever.
 */
export class Revocations {
  readonly #options: Required<RevocationsOptions>;
  #ids: ReadonlySet<string> = new Set();
  /** Revoked here, perhaps not yet in a list that was read. */
  readonly #own = new Set<string>();
  #readAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RevocationsOptions) {
    this.#options = { everyMs: 2_000, staleMs: 300_000, now: Date.now, ...options };
  }

  /** Reads the list, and again and again until `stop`. Throws what `load` throws. */
  async start(): Promise<void> {
    await this.#read();
    this.#schedule();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  add(jti: string): void {
    this.#own.add(jti);
  }

  /** @throws IdentityError `TOKEN_INVALID` for a revoked token, `UNAVAILABLE` where nobody knows */
  check(jti: string): void {
    if (this.#own.has(jti) || this.#ids.has(jti)) {
      throw new IdentityError('TOKEN_INVALID', 'The token was revoked.', { reason: 'revoked' });
    }
    const { now, staleMs } = this.#options;
    if (this.#readAt !== undefined && now() - this.#readAt <= staleMs) return;
    throw new IdentityError('UNAVAILABLE', 'The list of revoked tokens cannot be read.');
  }

  async #read(): Promise<void> {
    const readAt = this.#options.now();
    const own = [...this.#own];
    this.#ids = new Set(await this.#options.load());
    // What was added before the reading began is in the list now, or has expired.
    for (const jti of own) this.#own.delete(jti);
    this.#readAt = readAt;
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      void this.#read()
        // Said by `check` once it matters.
        .catch(() => undefined)
        .then(() => {
          if (this.#timer !== undefined) this.#schedule();
        });
    }, this.#options.everyMs).unref();
  }
}

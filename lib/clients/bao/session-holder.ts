import { login, renew, type Session, type SessionOptions } from './session.ts';

/** Keeps the one live session of a client; concurrent callers share one login and one renewal. */
export class SessionHolder {
  readonly #options: SessionOptions;
  #pending: Promise<Session> | undefined;
  #live: Session | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** A session whose token is valid and not due for renewal. Throws what `login` throws; the next call tries again. */
  async current(): Promise<Session> {
    if (this.#live !== undefined && this.#options.now() < this.#live.renewAt) return this.#live;
    this.#pending ??= this.#replace(this.#live).finally(() => {
      this.#pending = undefined;
    });
    return await this.#pending;
  }

  /** The server does not know this session's token any more. */
  forget(session: Session): void {
    // Another request may have replaced it already.
    if (this.#live === session) this.#live = undefined;
  }

  /** Revokes the token, so that it is useless after the process ended. */
  async close(): Promise<void> {
    const session = this.#live;
    this.#live = undefined;
    try {
      await session?.vault.tokenRevokeSelf();
    } catch {
      // An unreachable server forgets the token by itself when its lifetime ends.
    }
  }

  async #replace(former: Session | undefined): Promise<Session> {
    const renewed =
      former !== undefined && this.#options.now() < former.expiresAt ? await renew(former, this.#options) : undefined;
    this.#live = renewed ?? (await login(this.#options));
    return this.#live;
  }
}

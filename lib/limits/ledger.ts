/** Whom a count belongs to. */
export interface Account {
  readonly tenant: string;
  readonly subject: string;
  /** Empty without an API key. */
  readonly apiKey: string;
  readonly model: string;
}

export interface Counts {
  readonly requests: number;
  readonly rows: number;
  readonly refused: number;
}

/** What is to be added to a day of an account. */
export interface UsageEntry extends Account, Counts {
  /** UTC, `2026-01-31`. */
  readonly day: string;
}

/** Rows of a subject and model over all its keys and all processes. */
export interface UsageTotal {
  readonly tenant: string;
  readonly subject: string;
  readonly model: string;
  readonly today: number;
  /** In the window of the budget, today included. */
  readonly window: number;
}

export interface UsageStore {
  /** Adds all of it, or nothing. */
  add(entries: readonly UsageEntry[]): Promise<void>;
  totals(): Promise<UsageTotal[]>;
}

export interface LedgerOptions {
  readonly store: UsageStore;
  /** Milliseconds between two writes; default one second: a killed process loses so much of its counts at most. */
  readonly everyMs?: number;
  readonly onError: (error: unknown) => void;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

interface Pending {
  readonly account: Account;
  readonly day: string;
  requests: number;
  rows: number;
  refused: number;
}

interface Known {
  day: string;
  today: number;
  window: number;
}

interface Keys {
  readonly own: string;
  readonly total: string;
}

const DAY_MS = 86_400_000;
const NOTHING = { today: 0, window: 0 };

/**
 * Counts what is asked, in memory, and adds it to the store in the background. Every process reads the totals of all of
 * them back, so that a quota holds over all processes but for what they answer between two writes. While the store is
 * away counts wait here.
 */
export class UsageLedger {
  readonly #options: Required<LedgerOptions>;
  #pending = new Map<string, Pending>();
  readonly #keys = new WeakMap<Account, Keys>();
  #known = new Map<string, Known>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #day = { text: '', endsAt: 0 };

  constructor(options: LedgerOptions) {
    this.#options = { everyMs: 1_000, now: Date.now, ...options };
  }

  /** Rows that are known of today and of the window, with those of this process that are not written yet. */
  used(account: Account): { readonly today: number; readonly window: number } {
    const known = this.#known.get(this.#keysOf(account).total);
    if (known === undefined) return NOTHING;
    return { today: known.day === this.today() ? known.today : 0, window: known.window };
  }

  /** Adds to an account; takes effect in `used` at once. */
  count(account: Account, { requests, rows, refused }: Counts): void {
    const day = this.today();
    const { own, total } = this.#keysOf(account);
    let pending = this.#pending.get(own);
    if (pending?.day !== day) {
      // Counts of the day before wait under a name of their own.
      if (pending !== undefined) this.#pending.set(`${pending.day}\u0000${own}`, pending);
      pending = { account, day, requests: 0, rows: 0, refused: 0 };
      this.#pending.set(own, pending);
    }
    pending.requests += requests;
    pending.rows += rows;
    pending.refused += refused;
    if (rows > 0) this.#raise(total, day, rows);
  }

  /** Reads the totals, then writes and reads again and again. Throws what the store throws. */
  async start(): Promise<void> {
    await this.#read();
    this.#schedule();
  }

  /** Writes what is left. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.flush();
  }

  /** Settles when everything that was counted before is written, or could not be. */
  flush(): Promise<void> {
    this.#running = this.#running.then(() => this.#sync()).catch((error: unknown) => this.#options.onError(error));
    return this.#running;
  }

  /** UTC. */
  today(): string {
    const now = this.#options.now();
    if (now >= this.#day.endsAt) {
      const start = now - (now % DAY_MS);
      this.#day = { text: new Date(start).toISOString().slice(0, 10), endsAt: start + DAY_MS };
    }
    return this.#day.text;
  }

  /** Seconds until the day (UTC) is over. */
  untilTomorrow(): number {
    this.today();
    return Math.ceil((this.#day.endsAt - this.#options.now()) / 1000);
  }

  /** Worked out once for each account object: a caller who comes again brings the same one. */
  #keysOf(account: Account): Keys {
    let keys = this.#keys.get(account);
    if (keys === undefined) {
      keys = { own: accountKey(account), total: totalKey(account.tenant, account.subject, account.model) };
      this.#keys.set(account, keys);
    }
    return keys;
  }

  #raise(key: string, day: string, rows: number): void {
    const known = this.#known.get(key);
    if (known === undefined) {
      this.#known.set(key, { day, today: rows, window: rows });
      return;
    }
    known.today = known.day === day ? known.today + rows : rows;
    known.day = day;
    known.window += rows;
  }

  async #sync(): Promise<void> {
    if (this.#pending.size > 0) await this.#write();
    await this.#read();
  }

  async #write(): Promise<void> {
    const entries = [...this.#pending.values()];
    this.#pending = new Map();
    try {
      await this.#options.store.add(entries.map(({ account, ...counts }) => ({ ...account, ...counts })));
    } catch (error) {
      for (const entry of entries) this.#giveBack(entry);
      throw error;
    }
  }

  #giveBack(entry: Pending): void {
    const { own } = this.#keysOf(entry.account);
    const newer = this.#pending.get(own);
    if (newer?.day !== entry.day) {
      this.#pending.set(newer === undefined ? own : `${entry.day}\u0000${own}`, entry);
      return;
    }
    newer.requests += entry.requests;
    newer.rows += entry.rows;
    newer.refused += entry.refused;
  }

  /** What the store says, plus what this process has counted since it was asked. */
  async #read(): Promise<void> {
    const totals = await this.#options.store.totals();
    const day = this.today();
    this.#known = new Map(
      totals.map(({ tenant, subject, model, today, window }) => [
        totalKey(tenant, subject, model),
        { day, today, window },
      ]),
    );
    for (const { account, day: counted, rows } of this.#pending.values()) {
      if (rows > 0) this.#raise(this.#keysOf(account).total, counted, rows);
    }
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      void this.flush().then(() => {
        if (this.#timer !== undefined) this.#schedule();
      });
    }, this.#options.everyMs).unref();
  }
}

function accountKey({ tenant, subject, apiKey, model }: Account): string {
  return `${tenant}\u0000${subject}\u0000${apiKey}\u0000${model}`;
}

function totalKey(tenant: string, subject: string, model: string): string {
  return `${tenant}\u0000${subject}\u0000${model}`;
}

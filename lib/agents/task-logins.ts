import type { AgentStore, BaoClient, DatabaseLogin, Pool } from '../clients/index.ts';
import type { SecretRegistry } from '../guardrails/index.ts';

/** OpenBao's names for what a task borrows. */
const TOKEN_ROLE = 'saip-agent-task';
const LOGIN_ROLE = 'agent-readonly';

/** A login with less left than this is replaced before it is used. */
const SPARE_SECONDS = 30;

export interface TaskLoginsOptions {
  readonly vault: Pick<BaoClient, 'childToken' | 'borrowDatabaseLogin' | 'revokeToken'>;
  readonly store: Pick<AgentStore, 'noteLogin' | 'openLogins' | 'noteRevoked'>;
  readonly connect: (login: DatabaseLogin) => Pool;
  /** Gets the password, so that the filters know it. */
  readonly registry: Pick<SecretRegistry, 'add' | 'remove'>;
  readonly now?: () => number;
}

interface Held {
  readonly pool: Pool;
  readonly username: string;
  readonly password: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * The database logins of tasks, held in the memory of this process alone: a password is in no history, file or log. A
 * worker that takes a task over after a crash borrows again. The accessor of the token is written down before anything
 * is borrowed under it, so that the end of the task finds everything, also what died with another worker.
 */
export class TaskLogins {
  readonly #options: TaskLoginsOptions;
  readonly #held = new Map<string, Promise<Held>>();
  readonly #now: () => number;

  constructor(options: TaskLoginsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** The login of the task; borrows where this process has none. @throws BaoError, DatabaseError */
  async use(task: string): Promise<Pick<Held, 'pool' | 'username' | 'expiresAt'>> {
    const known = await this.#held.get(task)?.catch(() => undefined);
    if (known !== undefined && known.expiresAt - this.#now() > SPARE_SECONDS * 1000) return known;
    if (known !== undefined) await this.#drop(task);
    const borrowing = this.#held.get(task) ?? this.#borrow(task);
    this.#held.set(task, borrowing);
    borrowing.catch(() => this.#held.delete(task));
    return borrowing;
  }

  /** Lets go of a login that turned out not to work; the next use borrows another. */
  async forget(task: string): Promise<void> {
    await this.#drop(task);
  }

  /** Ends every login of the task, whoever borrowed it. @returns how many tokens were revoked */
  async revoke(task: string): Promise<number> {
    const { vault, store } = this.#options;
    await this.#drop(task);
    const accessors = await store.openLogins(task);
    for (const accessor of accessors) {
      await vault.revokeToken(accessor);
      await store.noteRevoked(accessor);
    }
    return accessors.length;
  }

  async #borrow(task: string): Promise<Held> {
    const { vault, store, connect, registry } = this.#options;
    const token = await vault.childToken(TOKEN_ROLE, { task });
    await store.noteLogin(task, token.accessor);
    const login = await vault.borrowDatabaseLogin(LOGIN_ROLE, token);
    registry.add('database-password', login.password);
    return {
      pool: connect(login),
      username: login.username,
      password: login.password,
      expiresAt: this.#now() + login.seconds * 1000,
    };
  }

  async #drop(task: string): Promise<void> {
    const held = await this.#held.get(task)?.catch(() => undefined);
    this.#held.delete(task);
    if (held === undefined) return;
    this.#options.registry.remove(held.password);
    await held.pool.end();
  }
}

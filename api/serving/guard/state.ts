import type { Protection } from '../../../contracts/misuse.ts';
import { ROLES } from '../../../contracts/roles.ts';
import type { ModelProtection, OpenFlag } from '../../../lib/clients/index.ts';
import { LimitRules, type EffectiveLimit, type LimitRule } from '../../../lib/limits/index.ts';

export interface GuardStore {
  rules(): Promise<readonly LimitRule[]>;
  protections(): Promise<readonly ModelProtection[]>;
  flags(): Promise<readonly OpenFlag[]>;
  /** Rows of the query budget that a person has let pass by lifting a flag. */
  allowances(): Promise<readonly Allowance[]>;
}

export interface Allowance {
  readonly tenant: string;
  readonly subject: string;
  readonly model: string;
  readonly rows: number;
}

export type EffectiveProtection = Protection &
  Required<Pick<Protection, 'onFlag' | 'minW' | 'maxStrangeShare' | 'outOfRange'>>;

export interface GuardStateOptions {
  readonly store: GuardStore;
  readonly limits: EffectiveLimit;
  /** Processes that share out rates; default 1. */
  readonly sharers?: number;
  readonly protection: EffectiveProtection;
  /** Milliseconds between two looks; default two seconds, so that a change counts everywhere within five. */
  readonly everyMs?: number;
  readonly onError: (error: unknown) => void;
}

const NO_FLAGS: ReadonlySet<string> = new Set();

/**
 * Limits, protections and flags as this process knows them. Requests read them from here; the database is asked in the
 * background. While it is away what was read last counts.
 */
export class GuardState {
  readonly #options: Required<GuardStateOptions>;
  #rules: LimitRules;
  #protections: ReadonlyMap<string, Protection> = new Map();
  #flags: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  #allowances: ReadonlyMap<string, number> = new Map();
  readonly #own = new Map<string, Set<string>>();
  /** Looks begun, and which of them this process goes by. */
  #begun = 0;
  #taken = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Grows with every look: what was worked out of an earlier one is out of date. */
  version = 0;
  /** Called with the keys whose flags are gone. */
  onLifted: (keys: readonly string[]) => void = () => undefined;

  constructor(options: GuardStateOptions) {
    this.#options = { everyMs: 2_000, sharers: 1, ...options };
    this.#rules = new LimitRules([], options.limits, this.#options.sharers);
  }

  get limits(): LimitRules {
    return this.#rules;
  }

  get defaults(): { readonly limits: EffectiveLimit; readonly protection: EffectiveProtection } {
    return { limits: this.#options.limits, protection: this.#options.protection };
  }

  /** Of the roles each replaces single settings of those before it in the order of the list of roles. */
  protection(model: string, roles: readonly string[]): EffectiveProtection {
    const own = ROLES.filter((role) => roles.includes(role));
    const rows = ['', ...own].flatMap((role) => this.#protections.get(protectionKey(model, role)) ?? []);
    return Object.assign({}, this.#options.protection, ...rows) as EffectiveProtection;
  }

  flags(key: string): ReadonlySet<string> {
    return this.#own.get(key) ?? this.#flags.get(key) ?? NO_FLAGS;
  }

  allowance(key: string): number {
    return this.#allowances.get(key) ?? 0;
  }

  /** Callers and models with an open flag. */
  get flagged(): number {
    return new Set([...this.#flags.keys(), ...this.#own.keys()]).size;
  }

  /** Counts here at once, before it is stored. */
  addFlag(key: string, kind: string): void {
    this.#own.set(key, new Set([...this.flags(key), kind]));
  }

  /** The flag is stored, and the next look will find it or its end. */
  forgetOwn(key: string): void {
    this.#own.delete(key);
  }

  /** Throws what the store throws. */
  async start(): Promise<void> {
    await this.refresh();
    this.#schedule();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /**
   * Looks at the store. What was stored before the call counts once it returns, however looks overtake each other.
   * Throws what the store throws.
   */
  async refresh(): Promise<void> {
    const { store, limits, sharers } = this.#options;
    this.#begun += 1;
    const look = this.#begun;
    const [rules, protections, flags, allowances] = await Promise.all([
      store.rules(),
      store.protections(),
      store.flags(),
      store.allowances(),
    ]);
    // One that began before and ends after a newer one may not have seen what the newer one saw.
    if (look < this.#taken) return;
    this.#taken = look;
    const before = this.#flags;
    this.#rules = new LimitRules(rules, limits, sharers);
    this.#protections = new Map(
      protections.map(({ model, role, settings }) => [protectionKey(model, role ?? ''), settings]),
    );
    this.#flags = byCaller(flags);
    this.#allowances = new Map(
      allowances.map(({ tenant, subject, model, rows }) => [callerKey(tenant, subject, model), rows]),
    );
    this.version += 1;
    const lifted = [...before.keys()].filter((key) => !this.#flags.has(key));
    if (lifted.length > 0) this.onLifted(lifted);
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      void this.refresh()
        .catch((error: unknown) => this.#options.onError(error))
        .then(() => {
          if (this.#timer !== undefined) this.#schedule();
        });
    }, this.#options.everyMs).unref();
  }
}

/** Names a caller and a model. */
export function callerKey(tenant: string, subject: string, model: string): string {
  return `${tenant}\u0000${subject}\u0000${model}`;
}

function protectionKey(model: string, role: string): string {
  return `${model}\u0000${role}`;
}

function byCaller(flags: readonly OpenFlag[]): Map<string, Set<string>> {
  const result = new Map<string, Set<string>>();
  for (const { tenant, subject, model, kind } of flags) {
    const key = callerKey(tenant, subject, model);
    const kinds = result.get(key) ?? new Set<string>();
    result.set(key, kinds.add(kind));
  }
  return result;
}

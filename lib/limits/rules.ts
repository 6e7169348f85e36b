import { LIMIT_KINDS, type LimitKind, type LimitNumbers } from '../../contracts/limits.ts';

/** One row of limits; `model` absent: for every model. */
export interface LimitRule extends LimitNumbers {
  readonly tenant: string;
  readonly kind: LimitKind;
  readonly name: string;
  readonly model?: string | undefined;
}

/** Who asks, as far as limits tell callers apart. */
export interface Consumer {
  readonly tenant: string;
  readonly subject: string;
  readonly roles: readonly string[];
  /** Id of the API key. */
  readonly apiKey?: string | undefined;
}

export type EffectiveLimit = Required<LimitNumbers>;

const NUMBERS = ['rate', 'burst', 'dailyRows', 'budgetRows'] as const;

/**
 * The limits of all tenants, asked by caller and model. Each number is that of the most specific rule that says one: the
 * key, then the subject, the most generous of the roles, everybody; each for the model before for all models.
 */
export class LimitRules {
  readonly #rules: ReadonlyMap<string, LimitNumbers>;
  readonly #defaults: EffectiveLimit;
  readonly #sharers: number;

  /** @param sharers processes that share out rates and bursts; rows are counted over all of them anyway */
  constructor(rules: readonly LimitRule[], defaults: EffectiveLimit, sharers = 1) {
    this.#defaults = defaults;
    this.#sharers = sharers;
    this.#rules = new Map(rules.map((rule) => [keyOf(rule.tenant, rule.kind, rule.name, rule.model ?? ''), rule]));
  }

  for(consumer: Consumer, model: string): EffectiveLimit {
    const result = { ...this.#defaults };
    if (this.#rules.size === 0) return shareOf(result, this.#sharers);
    const levels = LIMIT_KINDS.flatMap((kind) => this.#level(kind, consumer, model));
    for (const name of NUMBERS) {
      for (const level of levels) {
        const value = level[name];
        if (value === undefined) continue;
        result[name] = value;
        break;
      }
    }
    return shareOf(result, this.#sharers);
  }

  /** Whether the key is counted apart from the other requests of its owner. */
  countsApart({ tenant, apiKey }: Consumer, model: string): boolean {
    if (apiKey === undefined || this.#rules.size === 0) return false;
    return [model, ''].some((target) => this.#rules.has(keyOf(tenant, 'key', apiKey, target)));
  }

  /** The rules of one kind, the one for the model first. */
  #level(kind: LimitKind, consumer: Consumer, model: string): LimitNumbers[] {
    return [model, ''].flatMap((target) => {
      const found = namesOf(kind, consumer).flatMap(
        (name) => this.#rules.get(keyOf(consumer.tenant, kind, name, target)) ?? [],
      );
      return found.length < 2 ? found : [mostGenerous(found)];
    });
  }
}

/** At least one request at once: a process that lets none come would refuse whoever is connected to it. */
function shareOf(limit: EffectiveLimit, sharers: number): EffectiveLimit {
  if (sharers === 1) return limit;
  return { ...limit, rate: limit.rate / sharers, burst: Math.ceil(limit.burst / sharers) };
}

function namesOf(kind: LimitKind, { subject, roles, apiKey }: Consumer): readonly string[] {
  switch (kind) {
    case 'key':
      return apiKey === undefined ? [] : [apiKey];
    case 'subject':
      return [subject];
    case 'role':
      return roles;
    case 'everybody':
      return [''];
  }
}

/** Of several roles each number that allows most; 0 is no limit, except for a burst, which has none. */
function mostGenerous(rules: readonly LimitNumbers[]): LimitNumbers {
  return Object.fromEntries(
    NUMBERS.flatMap((name) => {
      const values = rules.flatMap((rule) => rule[name] ?? []);
      if (values.length === 0) return [];
      return [[name, name !== 'burst' && values.includes(0) ? 0 : Math.max(...values)]];
    }),
  );
}

function keyOf(tenant: string, kind: LimitKind, name: string, model: string): string {
  return JSON.stringify([tenant, kind, name, model]);
}

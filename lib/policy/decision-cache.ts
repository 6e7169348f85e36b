import { LRUCache } from 'lru-cache';
import type { AuthorizationRequest, Authorizer, Decision } from './authorizer.ts';

export interface DecisionCacheOptions {
  readonly authorizer: Pick<Authorizer, 'decide' | 'sha256'>;
  /** How long a decision stands, in milliseconds; default and at most 5 s. */
  readonly freshMs?: number;
  /** Decisions remembered; default 10,000. */
  readonly size?: number;
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
}

const LONGEST_MS = 5_000;

interface Remembered {
  readonly decision: Decision;
  readonly decidedAt: number;
}

/**
 * Decisions of the policy, remembered for some seconds under everything that they were made of: the principal with its
 * roles and scope, action, resource, and the digest of the policy. That nothing was decided is not remembered.
 */
export class DecisionCache {
  readonly #options: Required<Omit<DecisionCacheOptions, 'size'>>;
  readonly #known: LRUCache<string, Remembered>;

  constructor({ size = 10_000, freshMs = LONGEST_MS, ...options }: DecisionCacheOptions) {
    this.#options = { now: () => performance.now(), ...options, freshMs: Math.min(freshMs, LONGEST_MS) };
    this.#known = new LRUCache({ max: size });
  }

  /** Throws `POLICY_UNAVAILABLE` when the policy gives no decision. */
  decide(request: AuthorizationRequest): Decision {
    const { authorizer, freshMs, now } = this.#options;
    const key = `${authorizer.sha256}\n${request.action}\n${textOf(request.principal)}\n${textOf(request.resource)}`;
    const known = this.#known.get(key);
    const at = now();
    if (known !== undefined && at - known.decidedAt < freshMs) return known.decision;
    const decision = authorizer.decide(request);
    this.#known.set(key, { decision, decidedAt: at });
    return decision;
  }
}

const texts = new WeakMap<object, string>();

/** A thing as text, made once: principals and resources do not change, and come again as the same objects. */
function textOf(value: object | undefined): string {
  if (value === undefined) return '';
  let text = texts.get(value);
  if (text === undefined) {
    text = JSON.stringify(value);
    texts.set(value, text);
  }
  return text;
}

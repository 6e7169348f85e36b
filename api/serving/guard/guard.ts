import { LRUCache } from 'lru-cache';
import pRetry from 'p-retry';
import type { Caller } from '../../http/route.ts';
import { ApiError } from '../../errors.ts';
import { Bucket, dailyHeaders, rateLimitHeaders, type BucketSize, type Taken } from '../../../lib/limits/index.ts';
import { describeHardening, type Suspicion } from '../../../lib/misuse/index.ts';
import type { InferenceGuardOptions, Seat, SeatKeeper } from './seat.ts';
import type { Servable } from './servable.ts';
import { callerKey } from './state.ts';
import { Visit } from './visit.ts';

/** Where the headers of an answer are set. */
export interface HeaderSink {
  readonly headersSent?: boolean;
  setHeader(name: string, value: string): unknown;
}

/** Callers and models whose seats and buckets are kept; a bucket that is forgotten is full again. */
const REMEMBERED = 20_000;

/**
 * Stands between a caller and a model: rates, quotas, flags and ranges before the run, hardening after it. A request
 * costs it some microseconds and no look into the database.
 */
export class InferenceGuard implements SeatKeeper {
  readonly #options: InferenceGuardOptions;
  readonly #seats = new LRUCache<string, Seat>({ max: REMEMBERED });
  /** The same by the object that stands for a caller with one token, which comes again with it. */
  readonly #near = new WeakMap<Caller, Map<string, Seat>>();
  readonly #buckets = new LRUCache<string, Bucket>({ max: REMEMBERED });
  readonly #raising = new Set<string>();

  constructor(options: InferenceGuardOptions) {
    this.#options = options;
    options.state.onLifted = (keys) => {
      for (const key of keys) options.watch.forget(key);
    };
  }

  /**
   * Lets a caller come to a model.
   * @throws {ApiError} `MISUSE_STOPPED`, `RATE_LIMITED` with the headers that say when to come again
   */
  admit(caller: Caller, model: Servable, answer?: HeaderSink): Visit {
    const seat = this.#seat(caller, model.model);
    const flagged = this.#options.state.flags(seat.key).size > 0;
    const { onFlag } = seat.protection;
    if (flagged && onFlag === 'stop') {
      const detail = `${caller.sub} was flagged for ${model.model} and gets no more answers.`;
      throw this.refuse(seat, new ApiError('MISUSE_STOPPED', detail));
    }
    const slow = flagged && onFlag === 'slow';
    const size = slow ? { rate: this.#options.slowRate, burst: 1 } : seat.limit;
    if (size.rate > 0) {
      const taken = (slow ? seat.slow : seat.bucket).take(size, performance.now());
      if (!taken.allowed) throw this.#tooFast(seat, size, taken);
      if (answer && answer.headersSent !== true) {
        const headers = rateLimitHeaders(size, taken);
        for (const name in headers) answer.setHeader(name, headers[name] ?? '');
      }
    }
    return new Visit(model, seat, this, this.#options);
  }

  #tooFast(seat: Seat, size: BucketSize, taken: Taken): ApiError {
    const seconds = String(Math.ceil(taken.retryAfter));
    const headers = { ...rateLimitHeaders(size, taken), 'Retry-After': seconds };
    const detail = `Too many requests to ${seat.account.model}; wait ${seconds} s.`;
    return this.refuse(seat, new ApiError('RATE_LIMITED', detail, { headers }));
  }

  /**
   * Counts rows before they are run, and the request with the first of them.
   * @throws {ApiError} `QUOTA_EXCEEDED` where the quota of the day is less than they need
   */
  charge(seat: Seat, { requests, rows }: { readonly requests: number; readonly rows: number }): void {
    const { ledger, state } = this.#options;
    const { account, limit } = seat;
    const { model } = account;
    const { today, window } = ledger.used(account);
    if (limit.dailyRows > 0 && today + rows > limit.dailyRows) {
      const reset = ledger.untilTomorrow();
      const remaining = Math.max(0, limit.dailyRows - today);
      const detail = `${remaining} of ${limit.dailyRows} rows of ${model} are left for today, ${rows} were asked.`;
      const headers = { ...dailyHeaders(limit.dailyRows, { remaining, reset }), 'Retry-After': String(reset) };
      throw this.refuse(seat, new ApiError('QUOTA_EXCEEDED', detail, { headers }));
    }
    ledger.count(account, { requests, rows, refused: 0 });
    seat.use.requests += requests;
    seat.use.rows += rows;
    const budget = limit.budgetRows + state.allowance(seat.key);
    if (limit.budgetRows > 0 && window + rows > budget) {
      this.suspect(seat, { kind: 'query-budget', evidence: { rows: window + rows, budget } });
    }
  }

  /** Flags the caller, unless that was done before. */
  suspect({ key, account: { tenant, subject, model } }: Seat, { kind, evidence }: Suspicion): void {
    const { state, metrics, raise, onError } = this.#options;
    const name = `${key}\u0000${kind}`;
    if (state.flags(key).has(kind) || this.#raising.has(name)) return;
    this.#raising.add(name);
    state.addFlag(key, kind);
    metrics.flagged(model, kind);
    // The flag counts here at once. Until it is durable others do not know it: so it is tried for a long time.
    const options = { retries: 60, minTimeout: 500, maxTimeout: 30_000, unref: true, onFailedAttempt: onError };
    pRetry(() => raise({ tenant, subject, model, kind, evidence }), options)
      .then(() => state.refresh())
      .catch(onError)
      .finally(() => {
        state.forgetOwn(key);
        this.#raising.delete(name);
      });
  }

  /** Counts a refusal. @returns the error */
  refuse(seat: Seat, error: ApiError): ApiError {
    this.#options.metrics.refused(seat.account.model, error.code);
    this.#options.ledger.count(seat.account, { requests: 0, rows: 0, refused: 1 });
    return error;
  }

  #seat(caller: Caller, model: string): Seat {
    const near = this.#near.get(caller);
    const known = near?.get(model);
    if (known?.version === this.#options.state.version) return known;
    const seat = this.#seatByName(caller, model);
    if (near === undefined) this.#near.set(caller, new Map([[model, seat]]));
    else near.set(model, seat);
    return seat;
  }

  #seatByName(caller: Caller, model: string): Seat {
    const { state } = this.#options;
    const { sub: subject, tenant, roles, scope } = caller;
    const apiKey = scope?.id ?? '';
    const name = `${tenant}\u0000${subject}\u0000${model}\u0000${apiKey}\u0000${roles.join(' ')}`;
    const known = this.#seats.get(name);
    if (known?.version === state.version) return known;
    const protection = state.protection(model, roles);
    const consumer = { tenant, subject, roles, ...(apiKey !== '' && { apiKey }) };
    const key = callerKey(tenant, subject, model);
    const apart = state.limits.countsApart(consumer, model);
    const seat: Seat = {
      ...{ key, protection, version: state.version },
      account: { tenant, subject, apiKey, model },
      limit: state.limits.for(consumer, model),
      bucket: this.#bucket(apart ? `rate\u0000${key}\u0000${apiKey}` : `rate\u0000${key}`),
      slow: this.#bucket(`slow\u0000${key}`),
      use: this.#options.metrics.use(subject, model),
      hardening: describeHardening(protection),
    };
    this.#seats.set(name, seat);
    return seat;
  }

  #bucket(name: string): Bucket {
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      bucket = new Bucket();
      this.#buckets.set(name, bucket);
    }
    return bucket;
  }
}

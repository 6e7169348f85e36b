/** What a request costs and may find in its bucket. */
export interface BucketSize {
  /** Tokens a second that flow in. */
  readonly rate: number;
  /** Most tokens that it holds. */
  readonly burst: number;
}

export interface Taken {
  readonly allowed: boolean;
  /** Whole tokens left. */
  readonly remaining: number;
  /** Seconds until one token is there again; 0 where one is. */
  readonly retryAfter: number;
  /** Seconds until the bucket is full. */
  readonly reset: number;
}

/**
 * A token bucket as the continuous-state leaky bucket algorithm keeps it (ATM Forum Traffic Management 4.1, section
 * 4.4.2): two numbers, no timer and no promise. The size may change between two calls; what was taken stays taken.
 */
export class Bucket {
  /** Tokens that are missing at the time of the last call. */
  #missing = 0;
  /** Milliseconds of the clock that `take` is given. */
  #at = 0;

  /** Takes one token where there is one. @param now milliseconds of a monotonic clock */
  take({ rate, burst }: BucketSize, now: number): Taken {
    const missing = Math.min(burst, Math.max(0, this.#missing - ((now - this.#at) * rate) / 1000));
    const allowed = missing + 1 <= burst + EPSILON;
    this.#missing = allowed ? missing + 1 : missing;
    this.#at = now;
    return {
      allowed,
      remaining: Math.max(0, Math.floor(burst - this.#missing + EPSILON)),
      retryAfter: allowed ? 0 : (missing + 1 - burst) / rate,
      reset: this.#missing / rate,
    };
  }
}

/** Of a token: sums of many small parts miss a whole one by rounding. */
const EPSILON = 1e-9;

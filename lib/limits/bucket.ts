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
 * A token bucket as the generic cell rate algorithm keeps it (ATM Forum Traffic Management 4.1, section 4.4.2, virtual
 * scheduling): one number a bucket, no timer and no promise. The number is the time at which the bucket is full again;
 * the size may change between two calls.
 */
export class Bucket {
  /** Milliseconds of the clock that `take` is given. */
  #fullAt = 0;

  /** Takes one token where there is one. @param now milliseconds of a monotonic clock */
  take({ rate, burst }: BucketSize, now: number): Taken {
    const interval = 1000 / rate;
    const capacity = interval * burst;
    const before = Math.max(this.#fullAt, now);
    const after = before + interval;
    const allowed = after - now <= capacity + 1e-6;
    if (allowed) this.#fullAt = after;
    const debt = Math.max(0, this.#fullAt - now);
    return {
      allowed,
      remaining: Math.max(0, Math.floor((capacity - debt) / interval + 1e-9)),
      retryAfter: allowed ? 0 : Math.max(0, (after - now - capacity) / 1000),
      reset: debt / 1000,
    };
  }
}

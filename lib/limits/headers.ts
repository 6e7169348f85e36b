import type { Taken } from './bucket.ts';

/**
 * The fields `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10): `q` is the quota, `w` the
 * seconds in which it flows in, `r` what is left, `t` the seconds until all of it is there again.
 */
export function rateLimitHeaders(
  { rate, burst }: { readonly rate: number; readonly burst: number },
  { remaining, reset }: Pick<Taken, 'remaining' | 'reset'>,
): Readonly<Record<string, string>> {
  return {
    'RateLimit-Policy': `"requests";q=${String(burst)};w=${String(Math.max(1, Math.ceil(burst / rate)))}`,
    RateLimit: `"requests";r=${String(remaining)};t=${String(Math.ceil(reset))}`,
  };
}

/** The same of a quota of rows in a day. */
export function dailyHeaders(
  quota: number,
  { remaining, reset }: Pick<Taken, 'remaining' | 'reset'>,
): Readonly<Record<string, string>> {
  return {
    'RateLimit-Policy': `"rows";q=${String(quota)};w=86400`,
    RateLimit: `"rows";r=${String(remaining)};t=${String(Math.ceil(reset))}`,
  };
}

import type { Refusal } from './errors.ts';

/** Clocks may differ by this much, in seconds. */
export const CLOCK_SKEW_SECONDS = 30;

export type JwtClaims = Readonly<Record<string, unknown>>;

export interface ExpectedClaims {
  readonly issuer?: string;
  readonly audience?: string;
  /** That have to be there, beside those that are looked at. */
  readonly requiredClaims: readonly string[];
  /** Seconds since `iat`. */
  readonly maxTokenAge?: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Looks at the registered claims of a JWT whose signature was verified (RFC 7519 section 4.1, RFC 8725 sections 3.8 and
 * 3.9). Times are in seconds, and tolerate clocks that differ.
 * @returns what is wrong; undefined where nothing is
 */
export function wrongWith(claims: JwtClaims, expected: ExpectedClaims): Refusal | undefined {
  const { issuer, audience, requiredClaims, maxTokenAge } = expected;
  if (issuer !== undefined && claims['iss'] !== issuer) return 'issuer';
  if (audience !== undefined && !names(claims['aud'], audience)) return 'audience';
  if (requiredClaims.some((name) => !Object.hasOwn(claims, name))) return 'claims';
  const [exp, nbf, iat] = [claims['exp'], claims['nbf'], claims['iat']];
  if (![exp, nbf, iat].every((time) => time === undefined || Number.isFinite(time))) return 'claims';
  const now = Math.floor(expected.now() / 1000);
  if (typeof nbf === 'number' && nbf > now + CLOCK_SKEW_SECONDS) return 'claims';
  if (typeof exp === 'number' && exp <= now - CLOCK_SKEW_SECONDS) return 'expired';
  if (maxTokenAge === undefined) return undefined;
  if (typeof iat !== 'number' || iat > now + CLOCK_SKEW_SECONDS) return 'claims';
  return now - iat - CLOCK_SKEW_SECONDS > maxTokenAge ? 'expired' : undefined;
}

/** One audience, or some of which it is one. */
function names(aud: unknown, audience: string): boolean {
  return Array.isArray(aud) ? aud.includes(audience) : aud === audience;
}

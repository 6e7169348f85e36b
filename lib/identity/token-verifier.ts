import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { Principal } from '../../contracts/roles.ts';
import { IdentityError } from './errors.ts';
import { MAX_JWS_LENGTH, openJws } from './jws.ts';
import { CLOCK_SKEW_SECONDS } from './jwt-claims.ts';
import type { TransitKeySet } from './key-set.ts';
import { MAX_TOKEN_TTL_SECONDS } from './token-issuer.ts';

export interface TokenVerifierOptions {
  readonly keys: TransitKeySet;
  readonly issuer: string;
  readonly audience: string;
  /** Verified tokens remembered; default 10,000, 0 for none. */
  readonly cacheSize?: number;
  /** Throws for a token that ended before its time; default: none does. */
  readonly revocations?: { check(jti: string): void };
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface VerifiedToken {
  readonly principal: Principal;
  readonly clientId: string;
  readonly jti: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

const Claims = Principal.extend({
  client_id: z.string().min(1).max(256),
  jti: z.string().min(1).max(256),
  exp: z.number(),
});

interface Remembered {
  readonly kid: string;
  readonly token: VerifiedToken;
}

/**
 * Verifies access tokens by RFC 8725 and RFC 9068. A token that was verified once is recognised by its SHA-256 until it
 * expires or its key is retired, which saves the ECDSA operation on every further request.
 */
export class TokenVerifier {
  readonly #options: Required<Omit<TokenVerifierOptions, 'cacheSize'>>;
  readonly #verified: LRUCache<string, Remembered> | undefined;

  constructor({ cacheSize = 10_000, ...options }: TokenVerifierOptions) {
    this.#options = { now: Date.now, revocations: { check: () => undefined }, ...options };
    this.#verified = cacheSize > 0 ? new LRUCache({ max: cacheSize }) : undefined;
  }

  /**
   * A token that was verified before: the same object each time. Nothing is waited for.
   * @returns undefined where it is to be verified. Throws what `revocations` throws.
   */
  recall(token: string): VerifiedToken | undefined {
    if (token.length > MAX_JWS_LENGTH) return undefined;
    const known = this.#recall(hash('sha256', token, 'base64'));
    if (known !== undefined) this.#options.revocations.check(known.jti);
    return known;
  }

  /** Throws `TOKEN_INVALID`, BaoError where the keys cannot be read, or what `revocations` throws. */
  async verify(token: string): Promise<VerifiedToken> {
    const verified = await this.#verify(token);
    this.#options.revocations.check(verified.jti);
    return verified;
  }

  async #verify(token: string): Promise<VerifiedToken> {
    if (token.length > MAX_JWS_LENGTH) throw tooLong();
    const fingerprint = hash('sha256', token, 'base64');
    const known = this.#recall(fingerprint);
    if (known !== undefined) return known;
    const { keys, issuer, audience, now } = this.#options;
    const { kid, payload } = await openJws(token, {
      keys,
      issuer,
      audience,
      now,
      typ: 'at+jwt',
      requiredClaims: ['exp', 'iat', 'sub', 'jti', 'client_id'],
      maxTokenAge: MAX_TOKEN_TTL_SECONDS,
      noun: 'token',
      code: 'TOKEN_INVALID',
    });
    const claims = Claims.safeParse(payload);
    if (!claims.success) {
      const message = 'The claims of the token are not those of this platform.';
      throw new IdentityError('TOKEN_INVALID', message, { reason: 'claims' });
    }
    const { sub, roles, tenant, client_id: clientId, jti, exp } = claims.data;
    const verified = { principal: { sub, roles, tenant }, clientId, jti, expiresAt: exp };
    this.#verified?.set(fingerprint, { kid, token: verified });
    return verified;
  }

  #recall(fingerprint: string): VerifiedToken | undefined {
    const known = this.#verified?.get(fingerprint);
    if (known === undefined) return undefined;
    const expired = known.token.expiresAt <= Math.floor(this.#options.now() / 1000) - CLOCK_SKEW_SECONDS;
    if (!expired && this.#options.keys.knows(known.kid)) return known.token;
    this.#verified?.delete(fingerprint);
    return undefined;
  }
}

function tooLong(): IdentityError {
  return new IdentityError('TOKEN_INVALID', 'The token is too long.', { reason: 'malformed' });
}

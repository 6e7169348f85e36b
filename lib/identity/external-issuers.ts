import { createHash } from 'node:crypto';
import { createRemoteJWKSet, decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { IdentityError } from './errors.ts';
import { checkHeader, refusal, rolesOf, tenantOf, type ExternalIssuer } from './external-claims.ts';
import { MAX_JWS_LENGTH } from './jws.ts';
import { CLOCK_SKEW_SECONDS } from './jwt-claims.ts';
import { MAX_TOKEN_TTL_SECONDS } from './token-issuer.ts';
import type { VerifiedToken } from './token-verifier.ts';

export interface ExternalIssuersOptions {
  readonly issuers: readonly ExternalIssuer[];
  /** Throws for a token that ended before its time; default: none does. */
  readonly revocations?: { check(jti: string): void };
  /** Milliseconds that discovered addresses are kept; default one hour. */
  readonly discoveryMs?: number;
  /** Milliseconds that keys, and what they verified, are trusted without a look; default five minutes. */
  readonly keysMs?: number;
  /** Least milliseconds between two looks that an unknown key id asks for; default ten seconds. */
  readonly refreshFloorMs?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const REMEMBERED = 10_000;
const TIMEOUT_MS = 5_000;
const MAX_DOCUMENT = 256 * 1024;
const onLoopback = ({ hostname }: URL): boolean => ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
const Discovery = z.object({
  issuer: z.string(),
  jwks_uri: z.url({ protocol: /^https?$/ }).refine((text) => {
    const url = URL.parse(text);
    return url !== null && (url.protocol === 'https:' || onLoopback(url));
  }),
});
const Claims = z.object({ sub: z.string().min(1).max(200), exp: z.number(), jti: z.string().max(256).optional() });

interface Found {
  readonly keys: JWTVerifyGetKey;
  readonly readAt: number;
}

/**
 * Verifies access tokens of other issuers (OpenID Connect Discovery 1.0, RFC 9068 as far as the issuer keeps to it, RFC
 * 8725): the issuer is one of a list, algorithms are bound to it and asymmetric, keys come from where it publishes them
 * and nowhere else, and roles are only those that the configuration maps its claims to.
 */
export class ExternalIssuers {
  readonly #options: Required<ExternalIssuersOptions>;
  readonly #byUrl: ReadonlyMap<string, ExternalIssuer>;
  readonly #found = new Map<string, Found>();
  readonly #discovering = new Map<string, Promise<Found>>();
  readonly #verified: LRUCache<string, { readonly token: VerifiedToken; readonly until: number }>;

  constructor(options: ExternalIssuersOptions) {
    this.#options = {
      discoveryMs: 3_600_000,
      keysMs: 300_000,
      refreshFloorMs: 10_000,
      now: Date.now,
      revocations: { check: () => undefined },
      ...options,
    };
    this.#byUrl = new Map(options.issuers.map((issuer) => [issuer.issuer, issuer]));
    this.#verified = new LRUCache({ max: REMEMBERED });
  }

  /** Whether a token says that it comes from one of them; nothing about it is verified yet. */
  claims(token: string): boolean {
    if (this.#byUrl.size === 0 || token.length > MAX_JWS_LENGTH) return false;
    return this.#issuerOf(token) !== undefined;
  }

  /** Throws `TOKEN_INVALID`, `IDENTITY_PROVIDER_UNAVAILABLE`, or what `revocations` throws. */
  async verify(token: string): Promise<VerifiedToken> {
    if (token.length > MAX_JWS_LENGTH) throw refusal('is too long', 'malformed');
    const fingerprint = createHash('sha256').update(token).digest('base64url');
    const verified = this.#recall(fingerprint) ?? (await this.#verify(token, fingerprint));
    this.#options.revocations.check(verified.jti);
    return verified;
  }

  #recall(fingerprint: string): VerifiedToken | undefined {
    const known = this.#verified.get(fingerprint);
    return known !== undefined && this.#options.now() < known.until ? known.token : undefined;
  }

  async #verify(token: string, fingerprint: string): Promise<VerifiedToken> {
    const issuer = this.#issuerOf(token);
    if (issuer === undefined) throw refusal('comes from an issuer that is not trusted', 'issuer');
    checkHeader(token, issuer);
    const payload = await this.#open(token, issuer);
    const claims = Claims.safeParse(payload);
    if (!claims.success) throw refusal('has no usable subject', 'claims');
    const { sub, exp, jti = fingerprint } = claims.data;
    const subject = `${issuer.name}:${sub}`;
    const principal = { sub: subject, roles: rolesOf(payload, issuer), tenant: tenantOf(payload, issuer) };
    const verified = { principal, clientId: subject, jti: `${issuer.name}:${jti}`, expiresAt: exp };
    const until = Math.min((exp + CLOCK_SKEW_SECONDS) * 1000, this.#options.now() + this.#options.keysMs);
    this.#verified.set(fingerprint, { token: verified, until });
    return verified;
  }

  #issuerOf(token: string): ExternalIssuer | undefined {
    try {
      const { iss } = decodeJwt(token);
      return typeof iss === 'string' ? this.#byUrl.get(iss.replace(/\/$/, '')) : undefined;
    } catch {
      return undefined;
    }
  }

  async #open(token: string, issuer: ExternalIssuer): Promise<JWTPayload> {
    const { keys } = await this.#keysOf(issuer);
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: [...issuer.algorithms],
        issuer: [issuer.issuer, `${issuer.issuer}/`],
        audience: issuer.audience,
        requiredClaims: ['exp', 'iat', 'sub'],
        maxTokenAge: 24 * MAX_TOKEN_TTL_SECONDS,
        clockTolerance: CLOCK_SKEW_SECONDS,
        currentDate: new Date(this.#options.now()),
      });
      return payload;
    } catch (error) {
      throw verificationError(error, issuer);
    }
  }

  /** Where the issuer publishes its keys is asked once an hour; while it is away what was known goes on working. */
  async #keysOf(issuer: ExternalIssuer): Promise<Found> {
    const found = this.#found.get(issuer.name);
    if (found !== undefined && this.#options.now() - found.readAt < this.#options.discoveryMs) return found;
    const discovering =
      this.#discovering.get(issuer.name) ?? this.#discover(issuer).finally(() => this.#discovering.delete(issuer.name));
    this.#discovering.set(issuer.name, discovering);
    try {
      return await discovering;
    } catch (error) {
      if (found !== undefined) return found;
      throw error;
    }
  }

  async #discover(issuer: ExternalIssuer): Promise<Found> {
    const { keysMs, refreshFloorMs, now } = this.#options;
    try {
      const response = await fetch(`${issuer.issuer}/.well-known/openid-configuration`, {
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const text = await response.text();
      if (!response.ok || text.length > MAX_DOCUMENT) throw new Error(`status ${response.status}`);
      const document = Discovery.parse(JSON.parse(text));
      if (document.issuer.replace(/\/$/, '') !== issuer.issuer) throw new Error('the document is of another issuer');
      const keys = createRemoteJWKSet(new URL(document.jwks_uri), {
        timeoutDuration: TIMEOUT_MS,
        cacheMaxAge: keysMs,
        cooldownDuration: refreshFloorMs,
      });
      const found = { keys, readAt: now() };
      this.#found.set(issuer.name, found);
      return found;
    } catch (error) {
      throw unavailable(issuer, error);
    }
  }
}

function verificationError(error: unknown, issuer: ExternalIssuer): IdentityError {
  if (error instanceof errors.JWTExpired) return refusal('has expired', 'expired', error);
  if (error instanceof errors.JWTClaimValidationFailed) {
    return refusal(`has another ${error.claim}`, error.claim === 'aud' ? 'audience' : 'claims', error);
  }
  if (error instanceof errors.JWKSNoMatchingKey) return refusal('was signed by an unknown key', 'key', error);
  const token =
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JOSENotSupported;
  return token ? refusal('is not valid', 'signature', error) : unavailable(issuer, error);
}

function unavailable({ name }: ExternalIssuer, cause: unknown): IdentityError {
  return new IdentityError('IDENTITY_PROVIDER_UNAVAILABLE', `The keys of the issuer ${name} cannot be fetched.`, {
    cause,
  });
}

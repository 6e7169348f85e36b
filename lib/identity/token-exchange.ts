import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { IdentityError } from './errors.ts';
import { MAX_JWS_LENGTH } from './jws.ts';
import { CLOCK_SKEW_SECONDS } from './jwt-claims.ts';

/** Whose tokens are taken, and from where in that issuer's world they must come. */
export interface ExternalTrust {
  readonly issuer: string;
  /** JSON Web Key Set of the issuer. */
  readonly keysUrl: string;
  readonly audience: string;
  readonly repositoryId: string;
  readonly ref: string;
  readonly environment: string;
}

export interface ExternalIdentity {
  /** Stable name of whoever brings such tokens. */
  readonly subject: string;
  /** What the audit log keeps of the token. */
  readonly detail: Readonly<Record<string, string>>;
}

export interface TokenExchangeOptions {
  /** Undefined: no external issuer is trusted. */
  readonly trust: ExternalTrust | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Asymmetric ones only: whoever can verify a token must not be able to make one. */
const ALGORITHMS = ['RS256', 'ES256'];
/** Tokens of pipelines live for minutes. */
const MAX_AGE_SECONDS = 900;
const KEYS_TIMEOUT_MS = 5_000;

const text = z.string().min(1).max(512);

/** Claims of GitHub Actions, https://docs.github.com/actions/security-guides/about-security-hardening-with-openid-connect */
const Claims = z.object({
  repository_id: text,
  ref: text,
  environment: text,
  aud: text,
  run_id: text.optional(),
  run_attempt: text.optional(),
  actor: text.optional(),
  workflow_ref: text.optional(),
  sha: text.optional(),
});

/**
 * Verifies tokens of a pipeline (OpenID Connect) before they are exchanged (RFC 8693). Who may release is bound to
 * repository, ref and environment: any other pipeline of the same issuer gets nothing.
 */
export class TokenExchange {
  readonly #trust: ExternalTrust | undefined;
  readonly #keys: JWTVerifyGetKey | undefined;
  readonly #now: () => number;

  constructor({ trust, now = Date.now }: TokenExchangeOptions) {
    this.#trust = trust;
    this.#now = now;
    this.#keys = trust && createRemoteJWKSet(new URL(trust.keysUrl), { timeoutDuration: KEYS_TIMEOUT_MS });
  }

  /** Throws `TOKEN_EXCHANGE_OFF`, `SUBJECT_TOKEN_INVALID`, `IDENTITY_PROVIDER_UNAVAILABLE`. */
  async verify(token: string): Promise<ExternalIdentity> {
    if (this.#trust === undefined || this.#keys === undefined) {
      throw new IdentityError('TOKEN_EXCHANGE_OFF', 'This platform trusts no external issuer.', {
        field: 'grant_type',
      });
    }
    const claims = await this.#claims(token, this.#trust, this.#keys);
    const { repository_id, ref, environment, aud, ...detail } = claims;
    const expected = {
      repository_id: this.#trust.repositoryId,
      ref: this.#trust.ref,
      environment: this.#trust.environment,
      aud: this.#trust.audience,
    };
    for (const [name, value] of Object.entries({ repository_id, ref, environment, aud })) {
      if (value !== expected[name as keyof typeof expected]) throw refusal(`comes from another ${name}`);
    }
    return {
      subject: `oidc:repository:${repository_id}:environment:${environment}`,
      detail: Object.fromEntries(Object.entries({ repository_id, ref, ...detail })),
    };
  }

  async #claims(token: string, trust: ExternalTrust, keys: JWTVerifyGetKey): Promise<z.infer<typeof Claims>> {
    if (token.length > MAX_JWS_LENGTH) throw refusal('is too long');
    let payload: unknown;
    try {
      ({ payload } = await jwtVerify(token, keys, {
        algorithms: ALGORITHMS,
        issuer: trust.issuer,
        audience: trust.audience,
        requiredClaims: ['exp', 'iat', 'sub'],
        maxTokenAge: MAX_AGE_SECONDS,
        clockTolerance: CLOCK_SKEW_SECONDS,
        currentDate: new Date(this.#now()),
      }));
    } catch (error) {
      throw verificationError(error);
    }
    const parsed = Claims.safeParse(payload);
    if (parsed.success) return parsed.data;
    throw refusal(`has no usable claim ${String(parsed.error.issues[0]?.path[0])}`);
  }
}

/** What is wrong with a token is the caller's fault; keys that cannot be fetched are not. */
function verificationError(error: unknown): IdentityError {
  if (error instanceof errors.JWTExpired) return refusal('has expired', error);
  if (error instanceof errors.JWTClaimValidationFailed) return refusal(`comes from another ${error.claim}`, error);
  const token =
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JOSENotSupported;
  if (token) return refusal('is not valid', error);
  return new IdentityError('IDENTITY_PROVIDER_UNAVAILABLE', 'The keys of the external issuer cannot be fetched.', {
    cause: error,
  });
}

function refusal(what: string, cause?: unknown): IdentityError {
  return new IdentityError('SUBJECT_TOKEN_INVALID', `The subject token ${what}.`, { cause, field: 'subject_token' });
}

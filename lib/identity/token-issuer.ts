import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Role } from '../../contracts/roles.ts';
import { IdentityError } from './errors.ts';
import type { TransitKeySet } from './key-set.ts';

/** Longest life of an access token, seconds. */
export const MAX_TOKEN_TTL_SECONDS = 3600;
const DEFAULT_TTL_SECONDS = 900;
const MIN_TTL_SECONDS = 1;

/** What is stored of a client; secrets have at least 128 random bits, so one SHA-256 is enough. */
export interface OAuthClientRecord {
  readonly clientId: string;
  /** Lower-case hexadecimal. */
  readonly secretSha256: string;
  readonly subject: string;
  readonly roles: readonly Role[];
  readonly tenant: string;
}

export interface OAuthClientLookup {
  find(clientId: string): Promise<OAuthClientRecord | undefined>;
}

export interface TokenIssuerOptions {
  readonly keys: TransitKeySet;
  readonly clients: OAuthClientLookup;
  /** Public URL of the API. */
  readonly issuer: string;
  readonly audience: string;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Space-separated subset of the client's roles; default: all. */
  readonly scope?: string;
  /** Seconds, 1 to 3,600; default 900. */
  readonly ttlSeconds?: number;
}

export interface IssuedToken {
  readonly accessToken: string;
  /** Seconds. */
  readonly expiresIn: number;
  readonly scope: string;
  readonly jti: string;
  readonly subject: string;
}

/** Compared against when the client is unknown, so that both cases do the same work. */
const NO_SECRET = createHash('sha256').update(randomUUID()).digest();

/** Who was recognised, and what they get. */
export interface Grant {
  readonly subject: string;
  readonly clientId: string;
  readonly roles: readonly Role[];
  readonly tenant: string;
  /** Seconds, 1 to 3,600; default 900. */
  readonly ttlSeconds?: number;
}

/** Client credentials grant (RFC 6749 section 4.4), and whatever else was recognised, giving ES256 access tokens in the profile of RFC 9068. */
export class TokenIssuer {
  readonly #options: Required<TokenIssuerOptions>;

  constructor(options: TokenIssuerOptions) {
    this.#options = { now: Date.now, ...options };
  }

  /** Throws `CLIENT_CREDENTIALS_INVALID`, `REQUEST_INVALID` (field `scope` or `ttlSeconds`), or BaoError. */
  async issue(credentials: ClientCredentials): Promise<IssuedToken> {
    const client = await this.#authenticate(credentials);
    const { subject, clientId, tenant } = client;
    const roles = selectRoles(client, credentials.scope);
    return this.grant({ subject, clientId, tenant, roles, ttlSeconds: credentials.ttlSeconds });
  }

  /** A token for somebody whom the caller has authenticated. Throws `REQUEST_INVALID` (field `ttlSeconds`), or BaoError. */
  async grant({ subject, clientId, roles, tenant, ttlSeconds }: Grant): Promise<IssuedToken> {
    const expiresIn = ttlSeconds ?? DEFAULT_TTL_SECONDS;
    if (!Number.isInteger(expiresIn) || expiresIn < MIN_TTL_SECONDS || expiresIn > MAX_TOKEN_TTL_SECONDS) {
      throw new IdentityError('REQUEST_INVALID', `A token lives 1 to ${MAX_TOKEN_TTL_SECONDS} seconds.`, {
        field: 'ttlSeconds',
      });
    }
    const iat = Math.floor(this.#options.now() / 1000);
    const jti = randomUUID();
    const scope = roles.join(' ');
    const accessToken = await this.#options.keys.sign('at+jwt', {
      iss: this.#options.issuer,
      aud: this.#options.audience,
      sub: subject,
      client_id: clientId,
      iat,
      exp: iat + expiresIn,
      jti,
      scope,
      roles,
      tenant,
    });
    return { accessToken, expiresIn, scope, jti, subject };
  }

  async #authenticate({ clientId, clientSecret }: ClientCredentials): Promise<OAuthClientRecord> {
    const client = await this.#options.clients.find(clientId);
    const given = createHash('sha256').update(clientSecret).digest();
    const stored = client === undefined ? NO_SECRET : Buffer.from(client.secretSha256, 'hex');
    const equal = stored.length === given.length && timingSafeEqual(stored, given);
    if (client === undefined || !equal) {
      throw new IdentityError('CLIENT_CREDENTIALS_INVALID', 'The client is unknown or its secret is wrong.');
    }
    return client;
  }
}

function selectRoles(client: OAuthClientRecord, scope: string | undefined): readonly Role[] {
  if (scope === undefined) return client.roles;
  const wanted = new Set(scope.split(' ').filter((name) => name !== ''));
  const roles = client.roles.filter((role) => wanted.delete(role));
  if (wanted.size > 0 || roles.length === 0) {
    throw new IdentityError('REQUEST_INVALID', 'The scope asks for roles that this client does not have.', {
      field: 'scope',
    });
  }
  return roles;
}

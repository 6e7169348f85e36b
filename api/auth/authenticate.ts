import type { IncomingMessage } from 'node:http';
import { looksLikeApiKey, type ApiKeyVerifier, type TokenVerifier } from '../../lib/identity/index.ts';
import { ApiError } from '../errors.ts';
import type { Caller } from '../http/route.ts';
import type { SessionCookie } from './cookie.ts';
import type { Sessions } from './sessions.ts';

export interface AuthenticatorOptions {
  readonly verifier: Pick<TokenVerifier, 'verify'>;
  readonly keys: Pick<ApiKeyVerifier, 'verify'>;
  readonly sessions: Sessions;
  readonly cookie: SessionCookie;
  /** Origins whose pages may use a session: the Temporal UI and the API itself. */
  readonly origins: ReadonlySet<string>;
  /** Told of every credential that was refused, and of requests without one. */
  readonly onRefused?: (error: unknown) => void;
}

/**
 * Finds out who sends a request: a bearer token (RFC 6750), an API key in its place or in `X-API-Key`, or a session
 * cookie on the routes that accept one.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /** @throws {ApiError} `UNAUTHENTICATED`; IdentityError `TOKEN_INVALID`, `API_KEY_INVALID` */
  async authenticate(request: IncomingMessage, { cookie }: { cookie: boolean }): Promise<Caller> {
    try {
      return await this.#authenticate(request, cookie);
    } catch (error) {
      this.#options.onRefused?.(error);
      throw error;
    }
  }

  async #authenticate(request: IncomingMessage, cookie: boolean): Promise<Caller> {
    const header = request.headers.authorization;
    const key = request.headers['x-api-key'];
    if (header !== undefined && key !== undefined) {
      throw new ApiError('UNAUTHENTICATED', 'The request brings two credentials.', { field: 'header.x-api-key' });
    }
    if (key !== undefined) return this.#ownerOf(String(key));
    if (header !== undefined) {
      const credential = bearer(header);
      return looksLikeApiKey(credential) ? this.#ownerOf(credential) : this.callerOf(credential);
    }
    const session = cookie ? this.#session(request) : undefined;
    if (session) return session;
    throw new ApiError('UNAUTHENTICATED', 'The request brings no bearer token.', { field: 'header.authorization' });
  }

  /** Verifies an access token. */
  async callerOf(token: string): Promise<Caller> {
    const { principal, expiresAt } = await this.#options.verifier.verify(token);
    return { ...principal, expiresAt };
  }

  /** A key speaks for its owner, within what it was made for. */
  async #ownerOf(key: string): Promise<Caller> {
    const { id, owner, tenant, roles, actions, models, expiresAt } = await this.#options.keys.verify(key);
    const scope = { id, actions: [...actions], ...(models && { models: [...models] }) };
    return { sub: owner, tenant, roles: [...roles], expiresAt: Math.floor(expiresAt / 1000), scope };
  }

  /** SameSite keeps other sites out; the origin check keeps out other ports of the same host. */
  #session(request: IncomingMessage): Caller | undefined {
    const id = this.#options.cookie.read(request);
    if (id === undefined) return undefined;
    const origin = request.headers.origin;
    const safe = request.method === 'GET' || request.method === 'HEAD';
    if (origin === undefined ? !safe : !this.#options.origins.has(origin)) {
      throw new ApiError('UNAUTHENTICATED', 'A session counts only from the Temporal UI or this API.', {
        field: 'header.origin',
      });
    }
    return this.#options.sessions.find(id);
  }
}

function bearer(header: string): string {
  const token = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(header)?.[1];
  if (token === undefined) {
    throw new ApiError('UNAUTHENTICATED', 'The Authorization header holds no bearer token.', {
      field: 'header.authorization',
    });
  }
  return token;
}

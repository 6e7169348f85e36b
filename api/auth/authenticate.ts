import type { IncomingMessage } from 'node:http';
import {
  looksLikeApiKey,
  type ApiKeyVerifier,
  type TokenVerifier,
  type VerifiedToken,
} from '../../lib/identity/index.ts';
import { ApiError } from '../errors.ts';
import type { Caller } from '../http/route.ts';
import type { SessionCookie } from './cookie.ts';
import type { Sessions } from './sessions.ts';

export interface AuthenticatorOptions {
  readonly verifier: Pick<TokenVerifier, 'verify' | 'recall'>;
  readonly keys: Pick<ApiKeyVerifier, 'verify'>;
  readonly sessions: Sessions;
  readonly cookie: SessionCookie;
  /** Origins whose pages may use a session: the Temporal UI and the API itself. */
  readonly origins: ReadonlySet<string>;
  /** Told of every credential that was refused, and of requests without one. */
  readonly onRefused?: (error: unknown) => void;
}

const BEARER = 'Bearer ';

/**
 * Finds out who sends a request: a bearer token (RFC 6750), an API key in its place or in `X-API-Key`, or a session
 * cookie on the routes that accept one.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #callers = new WeakMap<VerifiedToken, Caller>();

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /**
   * @returns at once who brings a token that was verified before
   * @throws {ApiError} `UNAUTHENTICATED`; IdentityError `TOKEN_INVALID`, `API_KEY_INVALID`
   */
  authenticate(request: IncomingMessage, { cookie }: { cookie: boolean }): Caller | Promise<Caller> {
    try {
      const found = this.#authenticate(request, cookie);
      return found instanceof Promise ? found.catch((error: unknown) => this.#refuse(error)) : found;
    } catch (error) {
      return this.#refuse(error);
    }
  }

  #refuse(error: unknown): never {
    this.#options.onRefused?.(error);
    throw error;
  }

  #authenticate(request: IncomingMessage, cookie: boolean): Caller | Promise<Caller> {
    const header = request.headers.authorization;
    const key = request.headers['x-api-key'];
    if (header !== undefined && key !== undefined) {
      throw new ApiError('UNAUTHENTICATED', 'The request brings two credentials.', { field: 'header.x-api-key' });
    }
    if (key !== undefined) return this.#ownerOf(String(key));
    if (header !== undefined) {
      // As it nearly always is written: how it may be written otherwise is looked at where it is not known.
      const known = header.startsWith(BEARER) ? this.#options.verifier.recall(header.slice(BEARER.length)) : undefined;
      if (known !== undefined) return this.#callerBy(known);
      const credential = bearer(header);
      return looksLikeApiKey(credential) ? this.#ownerOf(credential) : this.callerOf(credential);
    }
    const session = cookie ? this.#session(request) : undefined;
    if (session) return session;
    throw new ApiError('UNAUTHENTICATED', 'The request brings no bearer token.', { field: 'header.authorization' });
  }

  /** Verifies an access token. */
  async callerOf(token: string): Promise<Caller> {
    return this.#callerBy(await this.#options.verifier.verify(token));
  }

  /** One object for each token, so that what is worked out of it is worked out once. */
  #callerBy(token: VerifiedToken): Caller {
    const known = this.#callers.get(token);
    if (known !== undefined) return known;
    const caller = { ...token.principal, expiresAt: token.expiresAt };
    this.#callers.set(token, caller);
    return caller;
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

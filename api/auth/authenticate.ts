import type { Request } from 'express';
import type { TokenVerifier } from '../../lib/identity/index.ts';
import { ApiError } from '../errors.ts';
import type { Caller } from '../http/route.ts';
import type { SessionCookie } from './cookie.ts';
import type { Sessions } from './sessions.ts';

export interface AuthenticatorOptions {
  readonly verifier: Pick<TokenVerifier, 'verify'>;
  readonly sessions: Sessions;
  readonly cookie: SessionCookie;
  /** Origins whose pages may use a session: the Temporal UI and the API itself. */
  readonly origins: ReadonlySet<string>;
}

/** Finds out who sends a request: a bearer token (RFC 6750), or a session cookie on the routes that accept one. */
export class Authenticator {
  readonly #options: AuthenticatorOptions;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /** @throws {ApiError} `UNAUTHENTICATED`; IdentityError `TOKEN_INVALID` */
  async authenticate(request: Request, { cookie }: { cookie: boolean }): Promise<Caller> {
    const header = request.headers.authorization;
    if (header !== undefined) return this.callerOf(bearer(header));
    const session = cookie ? this.#session(request) : undefined;
    if (session) return session;
    throw new ApiError('UNAUTHENTICATED', 'The request brings no bearer token.', { field: 'header.authorization' });
  }

  /** Verifies an access token. */
  async callerOf(token: string): Promise<Caller> {
    const { principal, expiresAt } = await this.#options.verifier.verify(token);
    return { ...principal, expiresAt };
  }

  /** SameSite keeps other sites out; the origin check keeps out other ports of the same host. */
  #session(request: Request): Caller | undefined {
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

import { isSaipError } from '../../contracts/errors.ts';
import type { IssuedToken, TokenExchange, TokenIssuer } from '../../lib/identity/index.ts';
import type { AuditEntry } from '../http/mount.ts';
import type { Caller } from '../http/route.ts';
import type { Authenticator } from './authenticate.ts';
import type { ClientLogin } from './client-credentials.ts';

export interface SignInOptions {
  readonly issuer: Pick<TokenIssuer, 'issue' | 'grant'>;
  readonly exchange: Pick<TokenExchange, 'verify'>;
  readonly authenticator: Pick<Authenticator, 'callerOf'>;
  /** @throws AUDIT_UNAVAILABLE, and then nobody signs in */
  readonly audit: (entry: AuditEntry) => Promise<void>;
}

/** Client ids of strangers are cut to this length before they are recorded. */
const MAX_RECORDED = 64;

/** Tokens and sessions for those who bring credentials, each recorded before it is given out. */
export class SignIn {
  readonly #options: SignInOptions;

  constructor(options: SignInOptions) {
    this.#options = options;
  }

  /** @throws IdentityError `CLIENT_CREDENTIALS_INVALID`, `REQUEST_INVALID` for a scope that the client does not have */
  async token(login: ClientLogin, options: { scope?: string; traceId: string }): Promise<IssuedToken> {
    const { issuer, audit } = this.#options;
    const subject = `client:${login.clientId.slice(0, MAX_RECORDED)}`;
    const { scope, traceId } = options;
    try {
      const token = await issuer.issue({ ...login, scope });
      const detail = { traceId, scope: token.scope, jti: token.jti };
      await audit({ actor: token.subject, action: 'token:issue', subject, decision: 'allow', detail });
      return token;
    } catch (error) {
      if (isSaipError(error) && error.code === 'CLIENT_CREDENTIALS_INVALID') {
        await audit({ actor: 'anonymous', action: 'token:issue', subject, decision: 'deny', detail: { traceId } });
      }
      throw error;
    }
  }

  /**
   * RFC 8693: a token of the trusted pipeline for a short-lived one with the role `releaser`.
   * @throws IdentityError `TOKEN_EXCHANGE_OFF`, `SUBJECT_TOKEN_INVALID`, `IDENTITY_PROVIDER_UNAVAILABLE`
   */
  async exchange(subjectToken: string, traceId: string): Promise<IssuedToken> {
    const { issuer, exchange, audit } = this.#options;
    const entry = { action: 'token:exchange', subject: 'releaser' } as const;
    try {
      const { subject, detail } = await exchange.verify(subjectToken);
      const token = await issuer.grant({ subject, clientId: subject, roles: ['releaser'], tenant: 'default' });
      await audit({ ...entry, actor: subject, decision: 'allow', detail: { ...detail, traceId, jti: token.jti } });
      return token;
    } catch (error) {
      if (isSaipError(error) && error.code === 'SUBJECT_TOKEN_INVALID') {
        await audit({ ...entry, actor: 'anonymous', decision: 'deny', detail: { traceId, reason: error.message } });
      }
      throw error;
    }
  }

  /** Who a token speaks for, where it begins a session. @throws IdentityError `TOKEN_INVALID` */
  async session(token: string, traceId: string): Promise<Caller> {
    const { authenticator, audit } = this.#options;
    const caller = await authenticator.callerOf(token);
    await audit({
      actor: caller.sub,
      action: 'session:begin',
      subject: 'codec',
      decision: 'allow',
      detail: { traceId },
    });
    return caller;
  }
}

import { OAuthClients, type BaoClient, type Pool } from '../../lib/clients/index.ts';
import type { SaipConfig } from '../../lib/config/index.ts';
import {
  TokenExchange,
  TokenIssuer,
  TokenVerifier,
  TransitKeySet,
  signApproval,
  type ExternalTrust,
} from '../../lib/identity/index.ts';
import { Authenticator, SessionCookie, Sessions } from '../auth/index.ts';
import type { AuthRoutesOptions } from '../routes/index.ts';
import type { ApprovalSigner } from '../temporal/updates.ts';

/** `aud` of the access tokens that this API issues and accepts. */
export const TOKEN_AUDIENCE = 'saip-api';

export interface Identity extends Omit<AuthRoutesOptions, 'signIn'> {
  readonly issuer: TokenIssuer;
  readonly exchange: TokenExchange;
  readonly authenticator: Authenticator;
  readonly signApproval: ApprovalSigner;
  /** Origins whose pages may use a session. */
  readonly origins: ReadonlySet<string>;
}

/** Tokens, sessions and approvals, with their keys in OpenBao. */
export function composeIdentity({ config, bao, pool }: { config: SaipConfig; bao: BaoClient; pool: Pool }): Identity {
  const keys = new TransitKeySet({ transit: bao, key: 'tokens' });
  const approvals = new TransitKeySet({ transit: bao, key: 'approvals' });
  const token = { keys, issuer: config.api.url, audience: TOKEN_AUDIENCE };
  const sessions = new Sessions();
  const cookie = new SessionCookie({ secure: config.api.url.startsWith('https:') });
  const origins = new Set([config.temporal.uiUrl, config.api.url].map((url) => new URL(url).origin));
  return {
    keys,
    issuer: new TokenIssuer({ ...token, clients: new OAuthClients(pool) }),
    exchange: new TokenExchange({ trust: trustOf(config) }),
    authenticator: new Authenticator({ verifier: new TokenVerifier(token), sessions, cookie, origins }),
    sessions,
    cookie,
    origins,
    signApproval: (approval) => signApproval({ keys: approvals, issuer: config.api.url, approval }),
  };
}

/** The configuration holds all of it or nothing; anything in between is refused at the start. */
function trustOf({ oidc }: SaipConfig): ExternalTrust | undefined {
  const { issuer, audience, repositoryId, ref, environment } = oidc;
  if (!issuer || !audience || !repositoryId || !ref || !environment) return undefined;
  return { issuer, keysUrl: oidc.keysUrl ?? `${issuer}/.well-known/jwks`, audience, repositoryId, ref, environment };
}

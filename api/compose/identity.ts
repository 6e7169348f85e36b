import { ApiKeys, OAuthClients, RevokedTokens, type BaoClient, type Pool } from '../../lib/clients/index.ts';
import type { Registry } from 'prom-client';
import { isSaipError } from '../../contracts/errors.ts';
import type { SaipConfig } from '../../lib/config/index.ts';
import {
  ApiKeyVerifier,
  ExternalIssuers,
  Revocations,
  TokenExchange,
  TokenIssuer,
  TokenVerifier,
  TransitKeySet,
  signApproval,
  type ExternalTrust,
  type VerifiedToken,
} from '../../lib/identity/index.ts';
import {
  ApiKeyring,
  Authenticator,
  SessionCookie,
  Sessions,
  credentialRefusals,
  type SessionExchange,
} from '../auth/index.ts';
import type { AuthRoutesOptions } from '../routes/index.ts';
import type { ApprovalSigner } from '../temporal/updates.ts';

/** `aud` of the access tokens that this API issues and accepts. */
export const TOKEN_AUDIENCE = 'saip-api';

export interface Identity extends Omit<AuthRoutesOptions, 'signIn' | 'audit'> {
  readonly issuer: TokenIssuer;
  readonly exchange: TokenExchange;
  readonly authenticator: Authenticator;
  readonly keyring: ApiKeyring;
  /** To be started before the first request, and stopped. */
  readonly revocations: Revocations;
  readonly signApproval: ApprovalSigner;
  /** Origins whose pages may use a session. */
  readonly origins: ReadonlySet<string>;
}

/** Transit key whose HMAC is what the database holds of an API key. */
const API_KEYS = 'api-keys';

interface IdentityParts {
  readonly config: SaipConfig;
  readonly bao: BaoClient;
  readonly pool: Pool;
  readonly registry: Registry;
  /** Other processes of this API. */
  readonly others: SessionExchange | undefined;
}

/** Tokens, sessions and approvals, with their keys in OpenBao. */
export function composeIdentity({ config, bao, pool, registry, others }: IdentityParts): Identity {
  const keys = new TransitKeySet({ transit: bao, key: 'tokens' });
  const approvals = new TransitKeySet({ transit: bao, key: 'approvals' });
  const token = { keys, issuer: config.api.url, audience: TOKEN_AUDIENCE };
  const sessions = new Sessions({ others });
  const apiKeys = new ApiKeys(pool);
  const verifier = new ApiKeyVerifier({ store: apiKeys, hash: (key, like) => bao.transitHmac(API_KEYS, key, like) });
  const revoked = new RevokedTokens(pool);
  const revocations = new Revocations({ load: () => revoked.ids() });
  const tokens = new TokenVerifier({ ...token, revocations });
  const external = new ExternalIssuers({ issuers: config.oidc.issuers ?? [], revocations });
  const anyToken = {
    recall: (text: string) => tokens.recall(text),
    verify: (text: string) => (external.claims(text) ? external.verify(text) : tokens.verify(text)),
  };
  const cookie = new SessionCookie({ secure: config.api.url.startsWith('https:') });
  const origins = new Set([config.temporal.uiUrl, config.api.url].map((url) => new URL(url).origin));
  return {
    keys,
    issuer: new TokenIssuer({ ...token, clients: new OAuthClients(pool) }),
    exchange: new TokenExchange({ trust: trustOf(config) }),
    authenticator: new Authenticator({
      ...{ verifier: anyToken, keys: verifier, sessions, cookie, origins },
      onRefused: credentialRefusals(registry),
    }),
    keyring: new ApiKeyring({ keys: apiKeys, verifier, hash: (key) => bao.transitHmac(API_KEYS, key) }),
    revocations,
    revoke: (text) => revokeToken(text, { tokens: anyToken, revoked, revocations }),
    sessions,
    cookie,
    origins,
    signApproval: (approval) => signApproval({ keys: approvals, issuer: config.api.url, approval }),
  };
}

/** RFC 7009: a token that is worth nothing is revoked already. @returns the token that was ended */
async function revokeToken(
  text: string,
  {
    tokens,
    revoked,
    revocations,
  }: { tokens: Pick<TokenVerifier, 'verify'>; revoked: RevokedTokens; revocations: Revocations },
): Promise<VerifiedToken | undefined> {
  let token: VerifiedToken;
  try {
    token = await tokens.verify(text);
  } catch (error) {
    if (isSaipError(error) && error.code === 'TOKEN_INVALID') return undefined;
    throw error;
  }
  await revoked.add({ jti: token.jti, subject: token.principal.sub, expiresAt: token.expiresAt });
  revocations.add(token.jti);
  return token;
}

/** The configuration holds all of it or nothing; anything in between is refused at the start. */
function trustOf({ oidc }: SaipConfig): ExternalTrust | undefined {
  const { issuer, audience, repositoryId, ref, environment } = oidc;
  if (!issuer || !audience || !repositoryId || !ref || !environment) return undefined;
  return { issuer, keysUrl: oidc.keysUrl ?? `${issuer}/.well-known/jwks`, audience, repositoryId, ref, environment };
}

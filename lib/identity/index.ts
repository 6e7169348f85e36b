export { apiKeyId, looksLikeApiKey, mintApiKey } from './api-key.ts';
export { ApiKeyVerifier } from './api-key-verifier.ts';
export type { ApiKeyVerifierOptions, StoredKey } from './api-key-verifier.ts';
export { Revocations } from './revocations.ts';
export type { RevocationsOptions } from './revocations.ts';
export { signApproval, verifyApproval } from './approval.ts';
export type { ExpectedApproval, SignApprovalOptions, VerifyApprovalOptions } from './approval.ts';
export { IdentityError, type IdentityErrorCode, type Refusal } from './errors.ts';
export type { ExternalIssuer } from './external-claims.ts';
export { ExternalIssuers, type ExternalIssuersOptions } from './external-issuers.ts';
export { TransitKeySet, type Transit, type TransitKeySetOptions } from './key-set.ts';
export { TokenExchange } from './token-exchange.ts';
export type { ExternalIdentity, ExternalTrust, TokenExchangeOptions } from './token-exchange.ts';
export { MAX_TOKEN_TTL_SECONDS, TokenIssuer } from './token-issuer.ts';
export type {
  ClientCredentials,
  Grant,
  IssuedToken,
  OAuthClientLookup,
  OAuthClientRecord,
  TokenIssuerOptions,
} from './token-issuer.ts';
export { TokenVerifier, type TokenVerifierOptions, type VerifiedToken } from './token-verifier.ts';

import { z } from 'zod';

/** An id or a secret of an OAuth client. */
export const credential = z.string().min(1).max(256);

/** RFC 6749 section 4.4; the client may come by HTTP Basic instead. */
export const ClientCredentialsGrant = z.strictObject({
  grant_type: z.literal('client_credentials'),
  client_id: credential.optional(),
  client_secret: credential.optional(),
  /** Space-separated subset of the client's roles; default: all of them. */
  scope: z.string().max(512).optional(),
});
export type ClientCredentialsGrant = z.infer<typeof ClientCredentialsGrant>;

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const JWT_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:jwt';

/** RFC 8693: a token of the external issuer that the platform trusts, for a short-lived one of the platform. */
export const TokenExchangeGrant = z.strictObject({
  grant_type: z.literal(TOKEN_EXCHANGE),
  subject_token: z.string().min(1).max(8192),
  subject_token_type: z.literal(JWT_TOKEN_TYPE),
  requested_token_type: z.literal('urn:ietf:params:oauth:token-type:access_token').optional(),
});
export type TokenExchangeGrant = z.infer<typeof TokenExchangeGrant>;

/** Body of `POST /v1/auth/token`, form or JSON. */
export const TokenRequest = z.discriminatedUnion('grant_type', [ClientCredentialsGrant, TokenExchangeGrant]);
export type TokenRequest = z.infer<typeof TokenRequest>;

export const TokenResponse = z.object({
  access_token: z.string(),
  token_type: z.literal('Bearer'),
  /** Seconds. */
  expires_in: z.int(),
  scope: z.string(),
  /** Only after a token exchange (RFC 8693 section 2.2.1). */
  issued_token_type: z.literal('urn:ietf:params:oauth:token-type:access_token').optional(),
});
export type TokenResponse = z.infer<typeof TokenResponse>;

/** RFC 7009; the hint is of no use here and is passed over. */
export const RevokeRequest = z.strictObject({
  token: z.string().min(1).max(8192),
  token_type_hint: z.string().max(64).optional(),
});
export type RevokeRequest = z.infer<typeof RevokeRequest>;

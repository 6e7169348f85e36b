import { z } from 'zod';
import { TokenResponse } from '../../contracts/token.ts';
import type { Role } from '../../contracts/roles.ts';
import { CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { fetchApi, readBody } from './http.ts';

export interface AccessToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly scope: string;
}

export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Gives the token that a request in the part of `role` should carry. */
export interface TokenSource {
  token(role: Role): Promise<string>;
}

/** A token is renewed this long before it ends, so that none expires on its way. */
const RENEWAL_MARGIN_MS = 30_000;

/** RFC 6749 section 4.4 with HTTP Basic. @throws CliError `forbidden` for refused credentials. */
export async function requestToken(
  apiUrl: string,
  credentials: ClientCredentials,
  now: () => number = Date.now,
): Promise<AccessToken> {
  const basic = [credentials.clientId, credentials.clientSecret].map(encodeURIComponent).join(':');
  const authorization = `Basic ${Buffer.from(basic).toString('base64')}`;
  return postGrant(apiUrl, { grant_type: 'client_credentials' }, { headers: { authorization }, now });
}

/** One request to the token endpoint. @throws CliError `forbidden` where it refuses */
export async function postGrant(
  apiUrl: string,
  grant: Readonly<Record<string, string>>,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly now?: () => number } = {},
): Promise<AccessToken> {
  const askedAt = (options.now ?? Date.now)();
  const response = await fetchApi(new URL('/v1/auth/token', apiUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...options.headers },
    body: new URLSearchParams(grant).toString(),
  });
  const body = await readBody(response, TokenResponse);
  return { token: body.access_token, expiresAt: askedAt + body.expires_in * 1000, scope: body.scope };
}

/** RFC 7009. @throws CliError where the endpoint refuses */
export async function postRevocation(apiUrl: string, token: string): Promise<void> {
  const response = await fetchApi(new URL('/v1/auth/revoke', apiUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token }).toString(),
  });
  await readBody(response, z.object({}));
}

/** One token for everything: `SAIP_TOKEN`, or that of `saip login`. */
export function fixedToken(token: string): TokenSource {
  return { token: () => Promise.resolve(token) };
}

/** Tokens by role from the local stack's clients, kept in memory and renewed before they end. */
export function localTokens(
  apiUrl: string,
  clients: Readonly<Partial<Record<string, ClientCredentials>>>,
  now: () => number = Date.now,
): TokenSource {
  const cache = new Map<Role, AccessToken>();
  return {
    async token(role) {
      const cached = cache.get(role);
      if (cached !== undefined && cached.expiresAt - RENEWAL_MARGIN_MS > now()) return cached.token;
      const credentials = clients[role];
      if (credentials === undefined) {
        throw new CliError(`the local stack has no client for the role ${role}`, {
          exitCode: EXIT.forbidden,
          hint: 'Set SAIP_TOKEN, or run saip login.',
        });
      }
      const fresh = await requestToken(apiUrl, credentials, now);
      cache.set(role, fresh);
      return fresh.token;
    },
  };
}

import { Jwks, SessionRequest, SessionResponse } from '../../contracts/session.ts';
import { z } from 'zod';
import { RevokeRequest, TOKEN_EXCHANGE, TokenRequest, TokenResponse } from '../../contracts/token.ts';
import type { TransitKeySet, VerifiedToken } from '../../lib/identity/index.ts';
import { clientLogin } from '../auth/client-credentials.ts';
import type { SessionCookie } from '../auth/cookie.ts';
import type { Sessions } from '../auth/sessions.ts';
import type { SignIn } from '../auth/sign-in.ts';
import type { Guards } from '../http/mount.ts';
import { route, type Caller, type Route } from '../http/route.ts';

/** A session that begins with client credentials lasts a working day; one that begins with a token ends with it. */
const SESSION_SECONDS = 8 * 3600;

export interface AuthRoutesOptions {
  readonly signIn: SignIn;
  /** @returns the token that was ended, if it was worth anything */
  readonly revoke: (token: string) => Promise<VerifiedToken | undefined>;
  readonly audit: Guards['audit'];
  readonly keys: Pick<TransitKeySet, 'jwks'>;
  readonly sessions: Sessions;
  readonly cookie: SessionCookie;
}

export function authRoutes(options: AuthRoutesOptions): Route[] {
  const tag = 'Identity';
  return [tokenRoute(options, tag), revokeRoute(options, tag), jwksRoute(options, tag), ...sessionRoutes(options, tag)];
}

function tokenRoute({ signIn }: AuthRoutesOptions, tag: string): Route {
  return route({
    method: 'post',
    path: '/v1/auth/token',
    operationId: 'issueToken',
    tag,
    summary: 'Get an access token by client credentials (RFC 6749 section 4.4) or token exchange (RFC 8693)',
    description:
      'A token exchange takes a token of the external issuer that this platform is configured to trust, from one ' +
      'repository, ref and environment, and gives one with the role `releaser` for at most 15 minutes.',
    access: 'public',
    limiter: 'credentials',
    body: TokenRequest,
    bodyTypes: ['application/x-www-form-urlencoded', 'application/json'],
    bodyLimit: 16 * 1024,
    success: { status: 200, description: 'An ES256 access token (RFC 9068).', schema: TokenResponse },
    errors: [
      'CLIENT_CREDENTIALS_INVALID',
      'SUBJECT_TOKEN_INVALID',
      'TOKEN_EXCHANGE_OFF',
      'IDENTITY_PROVIDER_UNAVAILABLE',
      'RATE_LIMITED',
      'AUDIT_UNAVAILABLE',
    ],
    handler: async ({ body, request, traceId }) => {
      const exchanges = body.grant_type === TOKEN_EXCHANGE;
      const token = exchanges
        ? await signIn.exchange(body.subject_token, traceId)
        : await signIn.token(clientLogin(request.headers.authorization, body), { scope: body.scope, traceId });
      return {
        access_token: token.accessToken,
        token_type: 'Bearer' as const,
        expires_in: token.expiresIn,
        scope: token.scope,
        ...(exchanges && { issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' as const }),
      };
    },
  });
}

function revokeRoute({ revoke, audit }: AuthRoutesOptions, tag: string): Route {
  return route({
    method: 'post',
    path: '/v1/auth/revoke',
    operationId: 'revokeToken',
    tag,
    summary: 'End an access token before its time (RFC 7009)',
    description:
      'Who holds a token may end it. It counts within five seconds everywhere. A worthless token is no error.',
    access: 'public',
    body: RevokeRequest,
    bodyTypes: ['application/x-www-form-urlencoded', 'application/json'],
    bodyLimit: 16 * 1024,
    success: { status: 200, description: 'The token is of no use any more.', schema: z.object({}) },
    errors: ['AUDIT_UNAVAILABLE'],
    handler: async ({ body, traceId }) => {
      const ended = await revoke(body.token);
      if (ended === undefined) return {};
      const { principal, jti } = ended;
      const entry = { actor: principal.sub, action: 'token:revoke', subject: `token:${jti}` };
      await audit({ ...entry, decision: 'allow', detail: { traceId, jti } });
      return {};
    },
  });
}

function jwksRoute({ keys }: AuthRoutesOptions, tag: string): Route {
  return route({
    method: 'get',
    path: '/.well-known/jwks.json',
    operationId: 'getJwks',
    tag,
    summary: 'Public keys that verify access tokens',
    access: 'public',
    success: { status: 200, description: 'JSON Web Key Set (RFC 7517).', schema: Jwks },
    handler: async ({ response }) => {
      response.set('Cache-Control', 'public, max-age=300');
      const { keys: jwks } = await keys.jwks();
      return { keys: jwks.map((key) => ({ ...key })) };
    },
  });
}

function sessionRoutes({ signIn, sessions, cookie }: AuthRoutesOptions, tag: string): Route[] {
  const path = '/v1/auth/session';
  return [
    route({
      method: 'post',
      path,
      operationId: 'beginSession',
      tag,
      summary: 'Sign a browser in for the Temporal UI',
      description: 'Sets an HttpOnly, SameSite cookie that only the codec endpoint and this path accept.',
      access: 'public',
      limiter: 'credentials',
      body: SessionRequest,
      bodyLimit: 16 * 1024,
      success: { status: 200, description: 'Who is signed in.', schema: SessionResponse },
      errors: ['CLIENT_CREDENTIALS_INVALID', 'TOKEN_INVALID', 'RATE_LIMITED', 'AUDIT_UNAVAILABLE'],
      handler: async ({ body, response, traceId }) => {
        const caller = await callerOf(body, traceId);
        const seconds = Math.max(1, caller.expiresAt - Math.floor(Date.now() / 1000));
        cookie.set(response, sessions.begin(caller), seconds);
        return sessionView(caller);
      },
    }),
    route({
      method: 'get',
      path,
      operationId: 'getSession',
      tag,
      summary: 'Who is calling',
      access: 'authenticated',
      cookie: true,
      success: { status: 200, description: 'The caller by token or session.', schema: SessionResponse },
      handler: ({ caller }) => sessionView(caller),
    }),
    route({
      method: 'delete',
      path,
      operationId: 'endSession',
      tag,
      summary: 'Sign the browser out',
      access: 'public',
      success: { status: 204, description: 'The session is over.' },
      handler: ({ request, response }) => {
        const id = cookie.read(request);
        if (id !== undefined) sessions.end(id);
        cookie.clear(response);
      },
    }),
  ];

  async function callerOf(body: SessionRequest, traceId: string): Promise<Caller> {
    if ('token' in body) return signIn.session(body.token, traceId);
    const login = { clientId: body.client_id, clientSecret: body.client_secret };
    const { accessToken } = await signIn.token(login, { traceId });
    const caller = await signIn.session(accessToken, traceId);
    return { ...caller, expiresAt: Math.floor(Date.now() / 1000) + SESSION_SECONDS };
  }
}

function sessionView(caller: Caller): SessionResponse {
  return {
    subject: caller.sub,
    roles: [...caller.roles],
    tenant: caller.tenant,
    expiresAt: new Date(caller.expiresAt * 1000).toISOString(),
  };
}

export { Authenticator, type AuthenticatorOptions } from './authenticate.ts';
export { clientLogin, type ClientLogin } from './client-credentials.ts';
export { ApiKeyring, type KeyringOptions } from './keys.ts';
export { SessionCookie, type SessionCookieOptions } from './cookie.ts';
export { cors, type CorsOptions } from './cors.ts';
export { createGuards, decideBy, type GuardsOptions } from './guards.ts';
export { Sessions, type SessionExchange } from './sessions.ts';
export { SignIn, type SignInOptions } from './sign-in.ts';
export { credentialRefusals } from './refusals.ts';

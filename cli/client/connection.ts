import { join } from 'node:path';
import { z } from 'zod';
import { CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { readLogin } from './login-file.ts';
import { readOptionalJson, readStackUrls, saipHome } from './stack-file.ts';
import type { StackUrls } from './stack-file.ts';
import { fixedToken, localTokens } from './token-source.ts';
import type { ClientCredentials, TokenSource } from './token-source.ts';

const Clients = z.record(z.string(), z.object({ clientId: z.string(), clientSecret: z.string() }));

export interface Connection {
  readonly apiUrl: string;
  readonly tokens: TokenSource;
  /** Addresses of the local stack where the API is part of it. */
  readonly stack: StackUrls | undefined;
}

export interface ApiAddress {
  readonly apiUrl: string;
  readonly stack: StackUrls | undefined;
}

/** `SAIP_API_URL`, else the local stack. @throws CliError `unreachable` where there is neither. */
export async function apiAddress(env: NodeJS.ProcessEnv): Promise<ApiAddress> {
  const stack = await readStackUrls(env);
  const given = env.SAIP_API_URL;
  if (given !== undefined && given !== '') {
    if (!URL.canParse(given)) {
      throw new CliError(`SAIP_API_URL is not a URL: ${given}`, { exitCode: EXIT.usage });
    }
    return { apiUrl: given, stack: stack && sameOrigin(stack.api, given) ? stack : undefined };
  }
  if (stack === undefined) {
    throw new CliError('no stack is running', {
      exitCode: EXIT.unreachable,
      hint: 'Start one with saip up, or set SAIP_API_URL.',
    });
  }
  return { apiUrl: stack.api, stack };
}

/** OAuth clients that the local stack generated, by role. */
export async function localClients(
  env: NodeJS.ProcessEnv,
): Promise<Readonly<Partial<Record<string, ClientCredentials>>> | undefined> {
  return readOptionalJson(join(saipHome(env), 'secrets', 'clients.json'), Clients);
}

/**
 * Where requests go and with which token: `SAIP_TOKEN`, else a valid `saip login` to the same API, else the local
 * stack's clients. Those clients are used with the local stack alone: another server never sees their secrets.
 */
export async function connect(env: NodeJS.ProcessEnv, now: () => number = Date.now): Promise<Connection> {
  const { apiUrl, stack } = await apiAddress(env);
  return { apiUrl, stack, tokens: await tokenSource(env, apiUrl, stack, now) };
}

async function tokenSource(
  env: NodeJS.ProcessEnv,
  apiUrl: string,
  stack: StackUrls | undefined,
  now: () => number,
): Promise<TokenSource> {
  if (env.SAIP_TOKEN !== undefined && env.SAIP_TOKEN !== '') return fixedToken(env.SAIP_TOKEN);
  const login = await readLogin(env);
  const matching = login && sameOrigin(login.apiUrl, apiUrl) ? login : undefined;
  if (matching && matching.expiresAt > now()) return fixedToken(matching.token);
  const clients = stack === undefined ? undefined : await localClients(env);
  if (clients !== undefined) return localTokens(apiUrl, clients, now);
  throw new CliError(matching ? 'the login has expired' : `not signed in to ${apiUrl}`, {
    exitCode: EXIT.forbidden,
    hint: 'Run saip login, or set SAIP_TOKEN.',
  });
}

export function sameOrigin(a: string, b: string): boolean {
  return new URL(a).origin === new URL(b).origin;
}

import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { SessionResponse } from '../../contracts/session.ts';
import { Role, ROLES } from '../../contracts/roles.ts';
import {
  ApiClient,
  apiAddress,
  exchangeToken,
  fixedToken,
  localClients,
  pipelineToken,
  postRevocation,
  removeLogin,
  requestToken,
  writeLogin,
} from '../client/index.ts';
import type { AccessToken } from '../client/index.ts';
import { CliError, usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';

export interface LoginOptions extends OutputOptions {
  readonly apiUrl?: string;
  readonly role?: string;
  readonly clientId?: string;
  /** File with the secret, `-` for stdin. Default: the variable SAIP_CLIENT_SECRET. */
  readonly clientSecretFile?: string;
  /** Take the identity of the pipeline that this runs in. */
  readonly githubOidc?: boolean;
  readonly audience: string;
}

/** `saip login`: remembers a token until it ends. The client's secret is used once and not kept. */
export async function login(io: Io, options: LoginOptions): Promise<ExitCode> {
  const env = options.apiUrl === undefined ? io.env : { ...io.env, SAIP_API_URL: options.apiUrl };
  const { apiUrl, stack } = await apiAddress(env);
  const access = await accessToken({ ...io, env }, apiUrl, options);
  const api = new ApiClient({ apiUrl, stack, tokens: fixedToken(access.token) });
  const session = await api.get('/v1/auth/session', SessionResponse, { role: 'viewer' });
  await writeLogin(io.env, { apiUrl, token: access.token, expiresAt: access.expiresAt });
  present(
    io,
    options,
    { apiUrl, ...session },
    ({ subject, roles, expiresAt }) => `signed in to ${apiUrl} as ${subject} (${roles.join(', ')}) until ${expiresAt}`,
  );
  return EXIT.ok;
}

async function accessToken(io: Io, apiUrl: string, options: LoginOptions): Promise<AccessToken> {
  const { githubOidc, audience, clientId, role } = options;
  if (githubOidc === true) {
    if (clientId !== undefined || role !== undefined) {
      throw usageError('--github-oidc brings its own identity', 'Leave out --client-id and --role.');
    }
    return exchangeToken(apiUrl, await pipelineToken(io.env, audience));
  }
  if (clientId === undefined) return localToken(io, role ?? 'viewer');
  return requestToken(apiUrl, { clientId, clientSecret: await readSecret(io, options.clientSecretFile) });
}

async function readSecret(io: Io, file: string | undefined): Promise<string> {
  const given = io.env.SAIP_CLIENT_SECRET;
  if (file === undefined && given !== undefined && given !== '') return given;
  if (file === undefined) {
    throw usageError('the client secret is missing', 'Set SAIP_CLIENT_SECRET, or name a file (- for stdin).');
  }
  const secret = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  return secret.trim();
}

async function localToken(io: Pick<Io, 'env'>, name: string): Promise<AccessToken> {
  const role = readRole(name);
  const { apiUrl, stack } = await apiAddress(io.env);
  const credentials = stack === undefined ? undefined : (await localClients(io.env))?.[role];
  if (credentials === undefined) {
    throw new CliError(`there is no local client for the role ${role} at ${apiUrl}`, {
      exitCode: EXIT.forbidden,
      hint: 'Sign in with saip login --client-id ID.',
    });
  }
  return requestToken(apiUrl, credentials);
}

/** @throws CliError `usage` for a role that there is not */
export function readRole(name: string): Role {
  const role = Role.safeParse(name);
  if (!role.success) throw usageError(`there is no role ${name}`, `The roles are ${ROLES.join(', ')}.`);
  return role.data;
}

export async function logout(io: Io, options: OutputOptions): Promise<ExitCode> {
  await removeLogin(io.env);
  present(io, options, { signedIn: false }, () => 'signed out');
  return EXIT.ok;
}

/** `saip token revoke`: ends a token before its time; one that is worth nothing already is no error. */
export async function revokeToken(io: Io, token: string, options: OutputOptions): Promise<ExitCode> {
  const { apiUrl } = await apiAddress(io.env);
  const given = token === '-' ? (await text(process.stdin)).trim() : token;
  await postRevocation(apiUrl, given);
  present(io, options, { revoked: true }, () => 'the token is of no use any more');
  return EXIT.ok;
}

export interface TokenOptions extends OutputOptions {
  readonly role: string;
}

/** `saip token`: a short-lived token of the local stack on stdout, for scripts. */
export async function printToken(io: Io, options: TokenOptions): Promise<ExitCode> {
  const { token, expiresAt, scope } = await localToken(io, options.role);
  const value = { token, expiresAt: new Date(expiresAt).toISOString(), scope };
  present(io, options, value, () => token);
  return EXIT.ok;
}

import { readFile, stat } from 'node:fs/promises';
import vault from 'node-vault';
import { z } from 'zod';
import { BaoError } from './errors.ts';
import { describeFailure } from './failure.ts';

export type VaultClient = ReturnType<typeof vault>;

const LoginFile = z.object({
  roleId: z.string().min(1),
  secretId: z.string().min(1),
});

const AuthResponse = z.object({
  auth: z.object({
    client_token: z.string().min(1),
    /** Seconds. */
    lease_duration: z.number().positive(),
    renewable: z.boolean(),
  }),
});

export interface SessionOptions {
  /** Base URL of OpenBao. */
  readonly address: string;
  /** JSON `{roleId, secretId}` with mode 0600; read again at every login, so that a new secret id is picked up. */
  readonly loginFile: string;
  /** Limit of one HTTP request. */
  readonly timeoutMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** One AppRole login: a client that holds the token, and when to renew or to replace it. */
export interface Session {
  readonly vault: VaultClient;
  readonly renewAt: number;
  readonly expiresAt: number;
}

/** Renewing at two thirds of the lifetime leaves a third for retries while the server restarts. */
const RENEW_AT = 2 / 3;

/** A client under a token. */
export function newVault(options: Pick<SessionOptions, 'address' | 'timeoutMs'>, token: string): VaultClient {
  const client = vault({
    endpoint: options.address,
    requestOptions: { timeout: options.timeoutMs },
    // node-vault's debug output prints request bodies, hence secrets.
    debug: () => undefined,
  });
  // Assigned, because node-vault takes VAULT_TOKEN from the environment when the option is empty.
  client.token = token;
  return client;
}

function lifetime(now: number, leaseSeconds: number, renewable: boolean): Pick<Session, 'renewAt' | 'expiresAt'> {
  const expiresAt = now + leaseSeconds * 1000;
  return {
    expiresAt,
    renewAt: renewable ? now + leaseSeconds * 1000 * RENEW_AT : expiresAt,
  };
}

async function readLogin(path: string): Promise<z.infer<typeof LoginFile>> {
  let mode: number;
  let text: string;
  try {
    mode = (await stat(path)).mode;
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new BaoError('SECRET_LOGIN_INVALID', `The login file ${path} cannot be read.`, { cause: error });
  }
  if ((mode & 0o077) !== 0) {
    throw new BaoError('SECRET_LOGIN_INVALID', `The login file ${path} can be read by others; its mode must be 0600.`);
  }
  try {
    return LoginFile.parse(JSON.parse(text));
  } catch {
    // The parser's message may quote the file.
    throw new BaoError('SECRET_LOGIN_INVALID', `The login file ${path} is not JSON {roleId, secretId}.`);
  }
}

/** Logs in with AppRole. Throws `SECRET_LOGIN_INVALID` when the file or its credentials are refused, else what node-vault throws. */
export async function login(options: SessionOptions): Promise<Session> {
  const { roleId, secretId } = await readLogin(options.loginFile);
  const startedAt = options.now();
  let answer: unknown;
  try {
    answer = await newVault(options, '').write('auth/approle/login', {
      role_id: roleId,
      secret_id: secretId,
    });
  } catch (error) {
    const failure = describeFailure(error);
    if (failure.transient) throw error;
    throw new BaoError(
      'SECRET_LOGIN_INVALID',
      `OpenBao refused the login of ${options.loginFile} (${failure.message}).`,
    );
  }
  const { auth } = AuthResponse.parse(answer);
  return {
    vault: newVault(options, auth.client_token),
    ...lifetime(startedAt, auth.lease_duration, auth.renewable),
  };
}

/** Extends the login; undefined when the server refuses or has no more time to give, so that a new login is due. */
export async function renew(session: Session, options: SessionOptions): Promise<Session | undefined> {
  const startedAt = options.now();
  try {
    const { auth } = AuthResponse.parse(await session.vault.tokenRenewSelf());
    const renewed = {
      vault: session.vault,
      ...lifetime(startedAt, auth.lease_duration, auth.renewable),
    };
    // Near the role's maximum lifetime a renewal adds nothing (the server counts in whole seconds).
    return renewed.expiresAt > session.expiresAt + 1000 ? renewed : undefined;
  } catch (error) {
    if (describeFailure(error).transient) throw error;
    return undefined;
  }
}

/** False when the server does not know the token (revoked, expired, another storage); a policy's refusal leaves it true. */
export async function isKnown(session: Session): Promise<boolean> {
  try {
    await session.vault.tokenLookupSelf();
    return true;
  } catch (error) {
    if (describeFailure(error).status === 403) return false;
    throw error;
  }
}

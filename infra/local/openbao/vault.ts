import createVault from 'node-vault';
import type { client as VaultClient } from 'node-vault';
import { SaipError } from '../../../contracts/errors.ts';
import { urls } from '../environment.ts';
import type { StackContext } from '../service.ts';
import { readInitFile } from './init-file.ts';

export type { VaultClient };

const TIMEOUT_MS = 10_000;

/** A client with no login, or with the token given. */
export function vaultClient({ ports }: StackContext, token?: string): VaultClient {
  return createVault({
    endpoint: urls.openbao(ports),
    requestOptions: { timeout: TIMEOUT_MS },
    ...(token !== undefined && { token }),
  });
}

/**
 * Logs in as the supervisor; the login lasts for minutes, so ask for one when it is needed.
 * @throws SaipError SECRET_UNAVAILABLE before the vault was provisioned
 */
export async function openVault(context: StackContext): Promise<VaultClient> {
  const file = await readInitFile(context.layout);
  if (file?.supervisor === undefined) {
    throw new SaipError('SECRET_UNAVAILABLE', 'The vault has no supervisor login yet.');
  }
  const { roleId, secretId } = file.supervisor;
  const vault = vaultClient(context);
  const login = (await vault.approleLogin({ role_id: roleId, secret_id: secretId })) as {
    auth: { client_token: string };
  };
  return vaultClient(context, login.auth.client_token);
}

/** @returns undefined where the vault answers 404 */
export async function readOptional(vault: VaultClient, path: string): Promise<unknown> {
  try {
    return await vault.read(path);
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** HTTP status of an answer that node-vault threw. */
export function statusOf(error: unknown): number | undefined {
  return (error as { response?: { statusCode?: number } }).response?.statusCode;
}

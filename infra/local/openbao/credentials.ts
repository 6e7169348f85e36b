import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { VaultClient } from './vault.ts';
import { readOptional } from './vault.ts';

const Credentials = z.object({ username: z.string(), password: z.string() });
export type Credentials = z.infer<typeof Credentials>;

/** PostgreSQL logins: the entry under `secret/saip/postgres/` → the role it logs in as. Entries with the same role
 * share its password. */
export const POSTGRES_LOGINS = {
  superuser: 'postgres',
  owner: 'saip_owner',
  mlflow: 'mlflow',
  api: 'saip_api',
  'worker-orchestration': 'saip_worker',
  'worker-cpu': 'saip_worker',
  'worker-gpu': 'saip_worker',
  'worker-release': 'saip_worker',
  'worker-agents': 'saip_agents',
  sequencer: 'saip_sequencer',
  // With it OpenBao makes the logins that it lends.
  lender: 'saip_lender',
} as const;
export type PostgresLogin = keyof typeof POSTGRES_LOGINS;

const path = (login: string): string => `secret/data/saip/postgres/${login}`;

async function readOptionalCredentials(vault: VaultClient, login: string): Promise<Credentials | undefined> {
  const answer = (await readOptional(vault, path(login))) as { data: { data: unknown } } | undefined;
  return answer && Credentials.parse(answer.data.data);
}

/** @throws when the login was never provisioned */
export async function readCredentials(vault: VaultClient, login: PostgresLogin): Promise<Credentials> {
  const found = await readOptionalCredentials(vault, login);
  if (found === undefined) throw new Error(`no PostgreSQL login ${login} in the vault`);
  return found;
}

/** Generates what is missing (256 random bits each); what exists stays, because the database already knows it. */
export async function ensureCredentials(vault: VaultClient): Promise<void> {
  const passwords = new Map<string, string>();
  for (const [login, username] of Object.entries(POSTGRES_LOGINS)) {
    const existing = await readOptionalCredentials(vault, login);
    const password = existing?.password ?? passwords.get(username) ?? randomBytes(32).toString('base64url');
    passwords.set(username, password);
    if (existing === undefined) await vault.write(path(login), { data: { username, password } });
  }
}

/** Writes one field of a secret; its other fields stay. */
export async function storeSecretField(
  vault: VaultClient,
  secret: string,
  { field, value }: { readonly field: string; readonly value: string },
): Promise<void> {
  const found = (await readOptional(vault, `secret/data/${secret}`)) as { data: { data: object } } | undefined;
  await vault.write(`secret/data/${secret}`, { data: { ...found?.data.data, [field]: value } });
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PLATFORM_PROCESSES } from '../environment.ts';
import type { StackContext } from '../service.ts';
import { writeJson } from '../state.ts';
import { ensureCredentials } from './credentials.ts';
import { readInitFile, writeInitFile } from './init-file.ts';
import { openVault, readOptional, statusOf, vaultClient } from './vault.ts';
import type { VaultClient } from './vault.ts';

/** Keys never leave the vault. Names are part of every signature's meaning: add, do not rename. */
const TRANSIT_KEYS = {
  tokens: 'ecdsa-p256',
  approvals: 'ecdsa-p256',
  models: 'ecdsa-p256',
  releases: 'ecdsa-p256',
  // Of the form that checkpoints of transparency logs are signed with.
  audit: 'ed25519',
  payloads: 'aes256-gcm96',
  /** Hashes API keys. */
  'api-keys': 'aes256-gcm96',
  /** Vouches for kept results of stages. */
  steps: 'aes256-gcm96',
} as const;

const SUPERVISOR = 'saip-supervisor';
const LOOPBACK = ['127.0.0.1/32'];

/** Under a token of this role an agent's task borrows; its end is the end of what was borrowed. */
const TASK_TOKEN = 'saip-agent-task';
const TASK_TOKEN_SECONDS = 900;

/** Everything a process of the platform needs from the vault; each step may be repeated. */
export async function provisionVault(context: StackContext): Promise<void> {
  await giveUpRoot(context);
  const vault = await openVault(context);
  await writePolicy(vault, SUPERVISOR);
  await ensureMounts(vault);
  for (const [name, type] of Object.entries(TRANSIT_KEYS)) {
    if ((await readOptional(vault, `transit/keys/${name}`)) === undefined) {
      await vault.write(`transit/keys/${name}`, { type, exportable: false, allow_plaintext_backup: false });
    }
  }
  await ensureCredentials(vault);
  await ensureTaskTokens(vault);
  for (const name of PLATFORM_PROCESSES) {
    const login = await ensureLogin(vault, `saip-${name}`);
    writeJson(join(context.layout.appRoles, `${name}.json`), login, 0o600);
  }
}

/** Uses the root token of the initialisation once, to give the supervisor a narrower login, and revokes it. */
async function giveUpRoot(context: StackContext): Promise<void> {
  const file = await readInitFile(context.layout);
  if (file?.rootToken === undefined) return;
  const root = vaultClient(context, file.rootToken);
  let { supervisor } = file;
  if (supervisor === undefined) {
    const methods = (await root.auths()) as Record<string, unknown>;
    if (!('approle/' in methods)) await root.write('sys/auth/approle', { type: 'approle' });
    supervisor = await ensureLogin(root, SUPERVISOR);
    writeInitFile(context.layout, { ...file, supervisor });
  }
  await root.write('auth/token/revoke-self', {}).catch((error: unknown) => {
    // Revoked by a start that was interrupted before it wrote the file.
    if (statusOf(error) !== 403) throw error;
  });
  writeInitFile(context.layout, { keys: file.keys, supervisor });
}

async function ensureMounts(vault: VaultClient): Promise<void> {
  const mounted = (await vault.mounts()) as Record<string, unknown>;
  if (!('secret/' in mounted)) await vault.write('sys/mounts/secret', { type: 'kv', options: { version: '2' } });
  if (!('transit/' in mounted)) await vault.write('sys/mounts/transit', { type: 'transit' });
  if (!('database/' in mounted)) await vault.write('sys/mounts/database', { type: 'database' });
}

async function ensureTaskTokens(vault: VaultClient): Promise<void> {
  await writePolicy(vault, TASK_TOKEN);
  await vault.write(`auth/token/roles/${TASK_TOKEN}`, {
    allowed_policies: [TASK_TOKEN],
    token_no_default_policy: true,
    // A child of the worker's token: it does not outlive that.
    orphan: false,
    renewable: false,
    token_explicit_max_ttl: `${TASK_TOKEN_SECONDS}s`,
    token_bound_cidrs: LOOPBACK,
    token_type: 'service',
  });
}

/** Writes the policy and the AppRole of that name, and replaces its secret id. */
async function ensureLogin(vault: VaultClient, name: string): Promise<{ roleId: string; secretId: string }> {
  await writePolicy(vault, name);
  const role = `auth/approle/role/${name}`;
  await vault.write(role, {
    token_policies: [name],
    token_ttl: '20m',
    token_max_ttl: '4h',
    token_bound_cidrs: LOOPBACK,
    secret_id_bound_cidrs: LOOPBACK,
  });
  const former = (await listOptional(vault, `${role}/secret-id`)) ?? [];
  const { data: id } = (await vault.read(`${role}/role-id`)) as { data: { role_id: string } };
  const { data: secret } = (await vault.write(`${role}/secret-id`, {})) as { data: { secret_id: string } };
  for (const accessor of former) {
    await vault.write(`${role}/secret-id-accessor/destroy`, { secret_id_accessor: accessor });
  }
  return { roleId: id.role_id, secretId: secret.secret_id };
}

async function writePolicy(vault: VaultClient, name: string): Promise<void> {
  const policy = await readFile(join(import.meta.dirname, 'policies', `${name}.hcl`), 'utf8');
  await vault.write(`sys/policies/acl/${name}`, { policy });
}

async function listOptional(vault: VaultClient, path: string): Promise<string[] | undefined> {
  const answer = (await readOptional(vault, `${path}?list=true`)) as { data: { keys: string[] } } | undefined;
  return answer?.data.keys;
}

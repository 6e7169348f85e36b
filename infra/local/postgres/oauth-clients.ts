import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ROLES } from '../../../contracts/roles.ts';
import type { OAuthClients } from '../../../lib/clients/index.ts';
import type { StackLayout } from '../layout.ts';
import { writeJson } from '../state.ts';

const ClientFile = z.record(z.string(), z.object({ clientId: z.string(), clientSecret: z.string() }));
/** `secrets/clients.json`: one OAuth client for each role, for the command line on this machine. */
type ClientFile = z.infer<typeof ClientFile>;

/** Generates the local clients that are missing and stores the hash of each secret in the database. */
export async function ensureOAuthClients(layout: StackLayout, store: OAuthClients): Promise<void> {
  const file = join(layout.secrets, 'clients.json');
  const known = await readClients(file);
  const clients = ROLES.map((role) => ({ role, client: known[role] ?? newClient(role) }));
  // The file first: a hash in the database whose secret nobody knows could not be used.
  writeJson(file, Object.fromEntries(clients.map(({ role, client }) => [role, client])), 0o600);
  for (const { role, client } of clients) {
    const { clientId, clientSecret } = client;
    await store.put({
      clientId,
      secretSha256: createHash('sha256').update(clientSecret).digest('hex'),
      subject: `local-${role}`,
      roles: [role],
      tenant: 'default',
    });
  }
}

function newClient(role: string): ClientFile[string] {
  // 256 random bits need no slow hash: they cannot be guessed, so a hash of them cannot be reversed.
  return { clientId: `saip-local-${role}`, clientSecret: randomBytes(32).toString('base64url') };
}

async function readClients(file: string): Promise<ClientFile> {
  try {
    return ClientFile.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

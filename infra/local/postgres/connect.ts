import pg from 'pg';
import { openVault, readCredentials } from '../openbao/index.ts';
import type { Credentials } from '../openbao/index.ts';
import type { StackContext } from '../service.ts';

const TIMEOUT_MS = 5_000;

const superusers = new WeakMap<StackContext, Promise<Credentials>>();

/** Kept in memory, so that the health check of PostgreSQL does not depend on the vault. */
export function superuser(context: StackContext): Promise<Credentials> {
  const known = superusers.get(context);
  if (known !== undefined) return known;
  const reading = openVault(context).then((vault) => readCredentials(vault, 'superuser'));
  superusers.set(context, reading);
  reading.catch(() => superusers.delete(context));
  return reading;
}

/** Opens a connection as superuser, hands it to `use`, and closes it. */
export async function withSuperuser<T>(
  context: StackContext,
  database: string,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const { username, password } = await superuser(context);
  const client = new pg.Client({
    host: '127.0.0.1',
    port: context.ports.postgres,
    user: username,
    password,
    database,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

export async function probeCluster(context: StackContext): Promise<void> {
  await withSuperuser(context, 'postgres', (client) => client.query('SELECT 1'));
}

import pg from 'pg';
import { OAuthClients, createPool, migrate } from '../../../lib/clients/index.ts';
import { loadConfig } from '../../../lib/config/index.ts';
import { platformEnvironment } from '../environment.ts';
import { AGENT_READER, openVault, POSTGRES_LOGINS, readCredentials } from '../openbao/index.ts';
import type { Credentials, PostgresLogin } from '../openbao/index.ts';
import type { StackContext } from '../service.ts';
import { withSuperuser } from './connect.ts';
import { ensureOAuthClients } from './oauth-clients.ts';

/** One login of each role; logins that share a role share its password. */
const ROLES: readonly PostgresLogin[] = [
  'owner',
  'api',
  'worker-cpu',
  'worker-agents',
  'sequencer',
  'lender',
  'mlflow',
];

/** Database → the role that owns it and the roles that may connect. */
const DATABASES = {
  saip: {
    owner: 'saip_owner',
    connect: ['saip_api', 'saip_worker', 'saip_agents', 'saip_sequencer', 'saip_lender', AGENT_READER],
  },
  mlflow: { owner: 'mlflow', connect: [] },
} as const;

/** Roles, databases, then the tables of the platform. */
export async function provisionDatabases(context: StackContext): Promise<void> {
  const vault = await openVault(context);
  const logins = await Promise.all(ROLES.map((login) => readCredentials(vault, login)));
  await withSuperuser(context, 'postgres', async (client) => {
    // A failing statement would be logged whole, with the password in it.
    await client.query('SET log_min_error_statement = panic');
    for (const { username, password } of logins) await ensureRole(client, username, password);
    await ensureLending(client);
    for (const [name, access] of Object.entries(DATABASES)) await ensureDatabase(client, name, access);
  });
  await provisionSchema(context, await readCredentials(vault, 'owner'));
}

/** The tables, and the OAuth clients of this machine, written by the owner of the database. */
async function provisionSchema(context: StackContext, credentials: Credentials): Promise<void> {
  const config = loadConfig('api', platformEnvironment(context, 'api'));
  await migrate({ config, credentials });
  const pool = createPool(config, credentials, { max: 1 });
  try {
    await ensureOAuthClients(context.layout, new OAuthClients(pool));
  } finally {
    await pool.end();
  }
}

async function ensureRole(client: pg.Client, role: string, password: string): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
  const verb = rowCount === 0 ? 'CREATE' : 'ALTER';
  await client.query(`${verb} ROLE ${pg.escapeIdentifier(role)} LOGIN PASSWORD ${pg.escapeLiteral(password)}`);
}

/**
 * The lender may make logins, and put them into the reader's role; since PostgreSQL 16 that is all that CREATEROLE
 * means. It may end what the logins it made still do (`inherit`), and has none of the reader's rights itself.
 */
async function ensureLending(client: pg.Client): Promise<void> {
  const lender = pg.escapeIdentifier(POSTGRES_LOGINS.lender);
  const reader = pg.escapeIdentifier(AGENT_READER);
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [AGENT_READER]);
  if (rowCount === 0) await client.query(`CREATE ROLE ${reader} NOLOGIN`);
  await client.query(`ALTER ROLE ${lender} CREATEROLE`);
  // Its statements hold passwords: none may be logged, however slow it is.
  await client.query(`ALTER ROLE ${lender} SET log_min_duration_statement = -1`);
  await client.query(`ALTER ROLE ${lender} SET log_min_error_statement = panic`);
  await client.query(`ALTER ROLE ${lender} SET createrole_self_grant = 'inherit'`);
  await client.query(`GRANT ${reader} TO ${lender} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`);
}

async function ensureDatabase(
  client: pg.Client,
  name: string,
  access: { readonly owner: string; readonly connect: readonly string[] },
): Promise<void> {
  const database = pg.escapeIdentifier(name);
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
  if (rowCount === 0) await client.query(`CREATE DATABASE ${database} OWNER ${pg.escapeIdentifier(access.owner)}`);
  await client.query(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`);
  for (const role of access.connect) {
    await client.query(`GRANT CONNECT ON DATABASE ${database} TO ${pg.escapeIdentifier(role)}`);
  }
}

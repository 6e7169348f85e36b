import type { StackContext } from '../service.ts';
import { readCredentials } from './credentials.ts';
import { openVault } from './vault.ts';

/** PostgreSQL role whose members may read the views of agents, and nothing else. */
export const AGENT_READER = 'saip_agent_reader';

/** Seconds that a borrowed login works without being revoked. */
const LOGIN_SECONDS = 600;

/** A login of its own for each task, a member of the reader's role; read only also where a right were given by mistake. */
const CREATE = `
CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' CONNECTION LIMIT 4 IN ROLE ${AGENT_READER};
ALTER ROLE "{{name}}" SET default_transaction_read_only = on;
ALTER ROLE "{{name}}" SET statement_timeout = '5s';
`;

/** Connections that are open are ended too. */
const REVOKE = `
ALTER ROLE "{{name}}" NOLOGIN;
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{{name}}';
DROP ROLE IF EXISTS "{{name}}";
`;

/**
 * Lets OpenBao lend logins of the platform's database. Runs at every start of PostgreSQL, whose port may have changed;
 * logins that are lent out stay valid.
 */
export async function lendDatabaseLogins(context: StackContext): Promise<void> {
  const vault = await openVault(context);
  const { username, password } = await readCredentials(vault, 'lender');
  await vault.write('database/config/saip', {
    plugin_name: 'postgresql-database-plugin',
    allowed_roles: ['agent-readonly'],
    connection_url: `postgresql://{{username}}:{{password}}@127.0.0.1:${context.ports.postgres}/saip?sslmode=disable`,
    password_authentication: 'scram-sha-256',
    username,
    password,
  });
  await vault.write('database/roles/agent-readonly', {
    db_name: 'saip',
    creation_statements: [CREATE],
    revocation_statements: [REVOKE],
    default_ttl: `${LOGIN_SECONDS}s`,
    max_ttl: `${LOGIN_SECONDS}s`,
  });
}

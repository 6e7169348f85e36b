import pg from 'pg';
import type { SaipConfig } from '../../config/index.ts';

export interface DatabaseCredentials {
  readonly username: string;
  readonly password: string;
}

export type Pool = pg.Pool;

/** Longest a statement, or a transaction between two statements, may take. */
const LIMIT_MS = 15_000;
const CONNECT_MS = 5_000;

/** How a client or pool reaches the platform's database; the user names the process in `pg_stat_activity`. */
export function connectionOptions(config: SaipConfig, credentials: DatabaseCredentials): pg.ClientConfig {
  return {
    host: config.postgres.host,
    port: config.postgres.port,
    database: config.postgres.database,
    user: credentials.username,
    password: credentials.password,
    application_name: `saip-${config.process}`,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
  };
}

/**
 * A pool of connections; end it with `pool.end()`. Connections are made when they are needed, so that this never
 * fails; a query fails with `DATABASE_UNAVAILABLE` while the server is away, and works again after.
 *
 * @param credentials from OpenBao, `secret/saip/postgres/<process>`
 */
export function createPool(
  config: SaipConfig,
  credentials: DatabaseCredentials,
  options: {
    readonly max?: number;
    /** Lets the process end while connections are open. */
    readonly allowExitOnIdle?: boolean;
  } = {},
): Pool {
  const pool = new pg.Pool({
    ...connectionOptions(config, credentials),
    max: options.max ?? 10,
    allowExitOnIdle: options.allowExitOnIdle ?? false,
    statement_timeout: LIMIT_MS,
    idle_in_transaction_session_timeout: LIMIT_MS,
    // Longer than the server's own limit, which leaves a usable connection behind.
    query_timeout: LIMIT_MS + CONNECT_MS,
  });
  // An idle connection that breaks is replaced by the next query; unhandled, the event would end the process.
  pool.on('error', () => undefined);
  return pool;
}

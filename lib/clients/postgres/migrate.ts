import { resolve } from 'node:path';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import type { SaipConfig } from '../../config/index.ts';
import { DatabaseError, databaseError } from './errors.ts';
import { connectionOptions, type DatabaseCredentials } from './pool.ts';

const MIGRATIONS = resolve(import.meta.dirname, '../../../infra/postgres/migrations');

export interface MigrateOptions {
  readonly config: SaipConfig;
  /** Of the database's owner. The roles that get grants, `saip_api` and `saip_worker`, exist. */
  readonly credentials: DatabaseCredentials;
}

/**
 * Brings the database to the newest schema, in one transaction under an advisory lock: two callers at once do it once.
 * @returns the names of the migrations that were run; none when the schema was current
 * @throws DatabaseError; DATABASE_REJECTED also when the database holds migrations that this code does not know
 */
export async function migrate({ config, credentials }: MigrateOptions): Promise<string[]> {
  const client = new pg.Client(connectionOptions(config, credentials));
  client.on('error', () => undefined);
  try {
    await client.connect();
    const done = await runner({
      dbClient: client,
      dir: MIGRATIONS,
      direction: 'up',
      migrationsTable: 'schema_migrations',
      advisoryLockMode: 'wait',
      logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
    });
    return done.map((migration) => migration.name);
  } catch (error) {
    throw migrationError(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The runner puts some of the server's refusals into errors of its own. */
function migrationError(error: unknown): unknown {
  const known = databaseError(error);
  if (known instanceof DatabaseError || !(error instanceof Error)) return known;
  const [reason] = error.message.split('\n', 1);
  return new DatabaseError('DATABASE_REJECTED', `The schema cannot be brought up to date: ${reason}`, { cause: error });
}

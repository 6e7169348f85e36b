import type pg from 'pg';
import type { z } from 'zod';
import { databaseError } from './errors.ts';
import type { Pool } from './pool.ts';

/** What runs a statement: the pool, or the one connection of a transaction. */
export type Queryable = Pick<pg.ClientBase, 'query'>;

/** @throws DatabaseError */
export async function execute(on: Queryable | Pool, sql: string, values: readonly unknown[] = []): Promise<number> {
  try {
    const { rowCount } = await on.query(sql, [...values]);
    return rowCount ?? 0;
  } catch (error) {
    throw databaseError(error);
  }
}

/** Rows in the form of `row`; columns without a value (NULL) are absent. @throws DatabaseError */
export async function select<T>(
  on: Queryable | Pool,
  row: z.ZodType<T>,
  sql: string,
  values: readonly unknown[] = [],
): Promise<T[]> {
  try {
    const { rows } = await on.query<Record<string, unknown>>(sql, [...values]);
    return rows.map((columns) => row.parse(withoutNulls(columns)));
  } catch (error) {
    throw databaseError(error);
  }
}

/** The first row, if there is one. @throws DatabaseError */
export async function selectOne<T>(
  on: Queryable | Pool,
  row: z.ZodType<T>,
  sql: string,
  values: readonly unknown[] = [],
): Promise<T | undefined> {
  return (await select(on, row, sql, values))[0];
}

/** Runs `work` in one transaction: all of it counts, or nothing. @throws DatabaseError, and what `work` throws */
export async function transaction<T>(pool: Pool, work: (client: Queryable) => Promise<T>): Promise<T> {
  const client = await connect(pool);
  let broken: Error | undefined;
  try {
    await execute(client, 'BEGIN');
    const result = await work(client);
    await execute(client, 'COMMIT');
    return result;
  } catch (error) {
    // A connection that cannot even roll back is thrown away.
    await client.query('ROLLBACK').catch((failure: Error) => (broken = failure));
    throw error;
  } finally {
    client.off('error', ignore);
    client.release(broken);
  }
}

const ignore = (): void => undefined;

async function connect(pool: Pool): Promise<pg.PoolClient> {
  try {
    const client = await pool.connect();
    // The pool listens only while a connection is idle. The statement at work fails by itself.
    client.on('error', ignore);
    return client;
  } catch (error) {
    throw databaseError(error);
  }
}

/** Makes writers of one model wait for each other, until the transaction ends. */
export async function lockModel(client: Queryable, model: string): Promise<void> {
  await execute(client, 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`saip:model:${model}`]);
}

/** SQL for a timestamp in ISO 8601, UTC, with the microseconds that a JavaScript date would lose. */
export function iso(column: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

function withoutNulls(columns: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== null));
}

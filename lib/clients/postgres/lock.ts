import { databaseError } from './errors.ts';
import type { Pool } from './pool.ts';
import { execute } from './query.ts';

/**
 * Runs `work` while no one else does under this name, on any machine. A connection is held meanwhile; the lock ends
 * with it, should the process die.
 * @throws DatabaseError DATABASE_UNAVAILABLE when the lock is not free within the pool's statement limit; what `work` throws
 */
export async function withLock<T>(pool: Pool, name: string, work: () => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw databaseError(error);
  });
  let locked = false;
  try {
    await execute(client, 'SELECT pg_advisory_lock(hashtextextended($1, 0))', [name]);
    locked = true;
    return await work();
  } finally {
    const failure = locked
      ? await client.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [name]).then(
          () => undefined,
          (error: Error) => error,
        )
      : true;
    // A connection that may still hold the lock is closed, not reused.
    client.release(failure);
  }
}

import { z } from 'zod';
import type { Pool } from './pool.ts';
import { execute, select } from './query.ts';

export interface RevokedToken {
  readonly jti: string;
  readonly subject: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

/** After its end, plus the clock skew that verifiers allow, a token is refused anyway. */
const LIVING = `expires_at > clock_timestamp() - interval '1 minute'`;

/** Access tokens that were revoked. Every method throws DatabaseError. */
export class RevokedTokens {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Durable when it returns; also forgets those that have expired. */
  async add({ jti, subject, expiresAt }: RevokedToken): Promise<void> {
    await execute(
      this.#pool,
      `WITH expired AS (DELETE FROM revoked_tokens WHERE NOT (${LIVING}))
       INSERT INTO revoked_tokens (jti, subject, expires_at) VALUES ($1, $2, to_timestamp($3)) ON CONFLICT DO NOTHING`,
      [jti, subject, expiresAt],
    );
  }

  async ids(): Promise<string[]> {
    const sql = `SELECT jti FROM revoked_tokens WHERE ${LIVING}`;
    return (await select(this.#pool, z.object({ jti: z.string() }), sql)).map(({ jti }) => jti);
  }
}

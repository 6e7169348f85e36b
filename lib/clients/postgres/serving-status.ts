import { z } from 'zod';
import { ServingReport } from '../../../contracts/api.ts';
import type { Pool } from './pool.ts';
import { execute, iso, select, transaction } from './query.ts';
import { parseVersion } from './version.ts';

/** Seconds without a heartbeat after which a replica counts as gone. */
export const REPLICA_LIFE_SECONDS = 10;
const ALIVE = `seen_at > clock_timestamp() - interval '${REPLICA_LIFE_SECONDS} seconds'`;

/** What one API process says about one alias. */
export interface ServingNews extends Omit<ServingReport, 'at'> {
  readonly model: string;
  readonly alias: string;
}

const HEARTBEAT = `INSERT INTO serving_replicas (replica) VALUES ($1)
  ON CONFLICT (replica) DO UPDATE SET seen_at = clock_timestamp()`;

/** Which API processes live, and what they serve. Every method throws DatabaseError. */
export class ServingStatus {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Call it several times in {@link REPLICA_LIFE_SECONDS}. Replicas that died long ago are forgotten by the way. */
  async heartbeat(replica: string): Promise<void> {
    await execute(this.#pool, HEARTBEAT, [replica]);
    await execute(this.#pool, `DELETE FROM serving_replicas WHERE seen_at < clock_timestamp() - interval '1 hour'`);
  }

  /** Replaces what the replica said about this alias; a sign of life as well. */
  report(news: ServingNews): Promise<void> {
    return transaction(this.#pool, async (client) => {
      await execute(client, HEARTBEAT, [news.replica]);
      await execute(
        client,
        `INSERT INTO serving_status (replica, model, alias, state, version, digest, code, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (replica, model, alias) DO UPDATE SET state = EXCLUDED.state, version = EXCLUDED.version,
           digest = EXCLUDED.digest, code = EXCLUDED.code, reason = EXCLUDED.reason, at = clock_timestamp()`,
        [
          news.replica,
          news.model,
          news.alias,
          news.state,
          news.version === undefined ? null : parseVersion(news.model, news.version),
          news.digest,
          news.code,
          news.reason,
        ],
      );
    });
  }

  /** The replica no longer serves this alias. */
  async retract(a: { readonly replica: string; readonly model: string; readonly alias: string }): Promise<void> {
    const sql = 'DELETE FROM serving_status WHERE replica = $1 AND model = $2 AND alias = $3';
    await execute(this.#pool, sql, [a.replica, a.model, a.alias]);
  }

  /** The replica stops: nobody waits for it any more. */
  async leave(replica: string): Promise<void> {
    await execute(this.#pool, 'DELETE FROM serving_replicas WHERE replica = $1', [replica]);
  }

  async liveReplicas(): Promise<string[]> {
    const sql = `SELECT replica FROM serving_replicas WHERE ${ALIVE} ORDER BY replica`;
    return (await select(this.#pool, z.object({ replica: z.string() }), sql)).map((row) => row.replica);
  }

  /** One report for each live replica; one that said nothing yet counts as loading. */
  reports(model: string, alias: string): Promise<ServingReport[]> {
    return select(
      this.#pool,
      ServingReport,
      `SELECT r.replica, coalesce(s.state, 'loading') AS state, s.version::text, s.digest, s.code, s.reason,
         ${iso('coalesce(s.at, r.seen_at)')} AS at
       FROM serving_replicas r LEFT JOIN serving_status s ON s.replica = r.replica AND s.model = $1 AND s.alias = $2
       WHERE r.${ALIVE} ORDER BY r.replica`,
      [model, alias],
    );
  }
}

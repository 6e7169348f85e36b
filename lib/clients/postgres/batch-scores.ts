import { z } from 'zod';
import { ScoredShard } from '../../../contracts/batch-score.ts';
import type { ArtifactRef } from '../../../contracts/reference.ts';
import type { Account } from '../../limits/index.ts';
import { AuditLog, type NewAuditEntry } from './audit-log.ts';
import type { Pool } from './pool.ts';
import { execute, select, selectOne, transaction, type Queryable } from './query.ts';

/** Days of a query budget, today included. */
const WINDOW_DAYS = 30;
const TODAY = `(clock_timestamp() AT TIME ZONE 'UTC')::date`;

export interface ShardKey {
  readonly workflowId: string;
  readonly shard: number;
}

export interface ShardCharge extends ShardKey {
  readonly account: Account;
  readonly records: number;
  /** Rows that the account may ask in a day; 0: no limit. */
  readonly dailyRows: number;
}

/** What became of the wish to score a shard. */
export type Charged =
  /** It was scored before. */
  | { readonly done: ScoredShard }
  /** Charged, now or by an earlier attempt; rows of the account over the window of its budget. */
  | { readonly charged: true; readonly window: number }
  /** The rows of the day do not suffice; seconds until the next one. */
  | { readonly waitSeconds: number };

const Usage = z.object({ today: z.number(), window: z.number(), seconds: z.number() });
const Kept = z.object({ result: ScoredShard.optional() });

/** Files scored by workflows, in PostgreSQL. Every method throws DatabaseError. */
export class BatchScores {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Charges a shard's records to the account, once, before any of them is scored. */
  charge(charge: ShardCharge): Promise<Charged> {
    const { workflowId, shard, account, records, dailyRows } = charge;
    const { tenant, subject, apiKey, model } = account;
    return transaction(this.#pool, async (client) => {
      // Shards of one account wait for each other, so that together they do not take more than its quota.
      const name = `saip:usage:${JSON.stringify([tenant, subject, model])}`;
      await execute(client, 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
      const known = await find(client, charge);
      if (known?.result !== undefined) return { done: known.result };
      const { today, window, seconds } = await usageOf(client, account);
      if (known !== undefined) return { charged: true, window };
      if (dailyRows > 0 && today + records > dailyRows) return { waitSeconds: seconds };
      await execute(
        client,
        'INSERT INTO batch_score_shards (workflow_id, shard, tenant, records) VALUES ($1, $2, $3, $4)',
        [workflowId, shard, tenant, records],
      );
      await execute(
        client,
        `INSERT INTO inference_usage AS u (tenant, subject, api_key, model, day, requests, rows)
         VALUES ($1, $2, $3, $4, ${TODAY}, 1, $5)
         ON CONFLICT (tenant, subject, api_key, model, day)
         DO UPDATE SET requests = u.requests + 1, rows = u.rows + EXCLUDED.rows`,
        [tenant, subject, apiKey, model, records],
      );
      return { charged: true, window: window + records };
    });
  }

  /** Keeps the result together with its record in the audit log. @returns the result that counts: the first one */
  finish(key: ShardKey, result: ScoredShard, entry: NewAuditEntry): Promise<ScoredShard> {
    return transaction(this.#pool, async (client) => {
      const kept = await execute(
        client,
        'UPDATE batch_score_shards SET result = $3 WHERE workflow_id = $1 AND shard = $2 AND result IS NULL',
        [key.workflowId, key.shard, JSON.stringify(result)],
      );
      if (kept > 0) await new AuditLog(client).append(entry);
      return (await find(client, key))?.result ?? result;
    });
  }

  /** In the order of the file. */
  async shards(workflowId: string): Promise<ScoredShard[]> {
    const sql = 'SELECT result FROM batch_score_shards WHERE workflow_id = $1 AND result IS NOT NULL ORDER BY shard';
    const rows = await select(this.#pool, z.object({ result: ScoredShard }), sql, [workflowId]);
    return rows.map(({ result }) => result);
  }

  /** Notes the joined result, so that it is removed with its time. */
  async keep(workflowId: string, result: ScoredShard): Promise<void> {
    const sql = 'INSERT INTO batch_scores (workflow_id, result) VALUES ($1, $2) ON CONFLICT DO NOTHING';
    await execute(this.#pool, sql, [workflowId, JSON.stringify(result)]);
  }

  /** Forgets results whose time is over. @returns their artifacts that no other result names */
  removeExpired(days: number): Promise<ArtifactRef[]> {
    return transaction(this.#pool, async (client) => {
      const rows = await select(
        client,
        Kept,
        `WITH shards AS (DELETE FROM batch_score_shards WHERE charged_at < clock_timestamp() - make_interval(days => $1)
           RETURNING result),
         files AS (DELETE FROM batch_scores WHERE finished_at < clock_timestamp() - make_interval(days => $1)
           RETURNING result)
         SELECT result FROM shards UNION ALL SELECT result FROM files`,
        [days],
      );
      const refs = new Map(
        rows.flatMap(({ result }) =>
          result === undefined ? [] : [result.predictions, result.refused].map((ref) => [ref.sha256, ref] as const),
        ),
      );
      const needed = await select(
        client,
        z.object({ sha256: z.string() }),
        `SELECT DISTINCT result -> part ->> 'sha256' AS sha256 FROM
           (SELECT result FROM batch_score_shards UNION ALL SELECT result FROM batch_scores) AS kept,
           unnest(ARRAY['predictions', 'refused']) AS part
         WHERE result -> part ->> 'sha256' = ANY ($1)`,
        [[...refs.keys()]],
      );
      for (const { sha256 } of needed) refs.delete(sha256);
      return [...refs.values()];
    });
  }
}

function find(client: Queryable, { workflowId, shard }: ShardKey): Promise<z.infer<typeof Kept> | undefined> {
  const sql = 'SELECT result FROM batch_score_shards WHERE workflow_id = $1 AND shard = $2';
  return selectOne(client, Kept, sql, [workflowId, shard]);
}

async function usageOf(client: Queryable, { tenant, subject, model }: Account): Promise<z.infer<typeof Usage>> {
  const usage = await selectOne(
    client,
    Usage,
    `SELECT coalesce(sum(rows) FILTER (WHERE day = ${TODAY}), 0)::float8 AS today, coalesce(sum(rows), 0)::float8 AS window,
       ceil(extract(epoch FROM ((${TODAY} + 1)::timestamp - (clock_timestamp() AT TIME ZONE 'UTC'))))::float8 AS seconds
     FROM inference_usage WHERE tenant = $1 AND subject = $2 AND model = $3 AND day > ${TODAY} - $4::integer`,
    [tenant, subject, model, WINDOW_DAYS],
  );
  return usage ?? { today: 0, window: 0, seconds: 86_400 };
}

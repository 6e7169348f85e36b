import { z } from 'zod';
import { UsageView } from '../../../contracts/limits.ts';
import type { UsageEntry, UsageTotal } from '../../limits/index.ts';
import type { Pool } from './pool.ts';
import { execute, select } from './query.ts';

/** Days of a query budget, today included. */
const WINDOW_DAYS = 30;
const TODAY = `(clock_timestamp() AT TIME ZONE 'UTC')::date`;

const Total = z.object({
  tenant: z.string(),
  subject: z.string(),
  model: z.string(),
  today: z.number(),
  window: z.number(),
});

/** What callers asked of models, by day. Every method throws DatabaseError. */
export class UsageLog {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Adds to what other processes counted, in one statement. */
  async add(entries: readonly UsageEntry[]): Promise<void> {
    const column = <K extends keyof UsageEntry>(name: K): UsageEntry[K][] => entries.map((entry) => entry[name]);
    await execute(
      this.#pool,
      `INSERT INTO inference_usage AS u (tenant, subject, api_key, model, day, requests, rows, refused)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::date[], $6::bigint[], $7::bigint[],
         $8::bigint[])
       -- One order for all processes, so that two of them cannot wait for each other.
       ORDER BY 1, 2, 3, 4, 5
       ON CONFLICT (tenant, subject, api_key, model, day) DO UPDATE SET requests = u.requests + EXCLUDED.requests,
         rows = u.rows + EXCLUDED.rows, refused = u.refused + EXCLUDED.refused`,
      [
        ...[column('tenant'), column('subject'), column('apiKey'), column('model'), column('day')],
        ...[column('requests'), column('rows'), column('refused')],
      ],
    );
  }

  /** Of everybody who asked something in the last 30 days. */
  totals(): Promise<UsageTotal[]> {
    return select(
      this.#pool,
      Total,
      `SELECT tenant, subject, model, coalesce(sum(rows) FILTER (WHERE day = ${TODAY}), 0)::float8 AS today,
         sum(rows)::float8 AS window
       FROM inference_usage WHERE day > ${TODAY} - $1::integer GROUP BY tenant, subject, model`,
      [WINDOW_DAYS],
    );
  }

  /** Deletes counts of days that are so many days past. @returns how many */
  removeOlder(days: number): Promise<number> {
    return execute(this.#pool, `DELETE FROM inference_usage WHERE day <= ${TODAY} - $1::integer`, [days]);
  }

  /** The busiest first. */
  list(query: {
    readonly tenant: string;
    readonly days: number;
    readonly subject?: string;
    readonly model?: string;
  }): Promise<UsageView[]> {
    return select(
      this.#pool,
      UsageView,
      `SELECT subject, nullif(api_key, '') AS "apiKey", model, sum(requests)::float8 AS requests,
         sum(rows)::float8 AS rows, sum(refused)::float8 AS refused, max(day)::text AS "lastDay"
       FROM inference_usage
       WHERE tenant = $1 AND day > ${TODAY} - $2::integer AND ($3::text IS NULL OR subject = $3)
         AND ($4::text IS NULL OR model = $4)
       GROUP BY subject, api_key, model ORDER BY sum(rows) DESC, subject, model LIMIT 500`,
      [query.tenant, query.days, query.subject ?? null, query.model ?? null],
    );
  }
}

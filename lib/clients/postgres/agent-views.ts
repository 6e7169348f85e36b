import { z } from 'zod';
import type { Pool } from './pool.ts';
import { iso, select, selectOne } from './query.ts';

const ModelRow = z.object({
  model: z.string(),
  versions: z.int(),
  latest: z.string(),
  champion: z.string().optional(),
  championSince: z.string().optional(),
  /** Why the champion became it, in the words of whoever did it. */
  championReason: z.string().optional(),
});
/** A registered model, as agents see it. */
export type ModelRow = z.infer<typeof ModelRow>;

const VersionRow = z.object({
  model: z.string(),
  version: z.string(),
  metrics: z.record(z.string(), z.number()),
  aliases: z.array(z.string()),
  registeredAt: z.string(),
  withdrawnReason: z.string().optional(),
});
export type VersionRow = z.infer<typeof VersionRow>;

/** Which version is meant: by number, by alias, or the newest. */
const MEANT = `CASE
  WHEN $2 = 'latest' THEN (SELECT max(version) FROM agent.model_versions WHERE model = $1)
  WHEN $2 ~ '^[0-9]{1,9}$' THEN $2::int
  ELSE (SELECT version FROM agent.aliases WHERE model = $1 AND alias = $2) END`;

/** The registry through the views of the schema `agent`, under a borrowed login. Every method throws DatabaseError. */
export class AgentViews {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Who the database says this is; fails when the login does not work. */
  async whoAmI(): Promise<string> {
    const row = await selectOne(this.#pool, z.object({ user: z.string() }), 'SELECT current_user AS user');
    return row?.user ?? '';
  }

  /** By name. */
  models(limit: number): Promise<ModelRow[]> {
    return select(
      this.#pool,
      ModelRow,
      `SELECT v.model, count(*)::int AS versions, max(v.version)::text AS latest, a.version::text AS champion,
         ${iso('a.at')} AS "championSince", a.reason AS "championReason"
       FROM agent.model_versions v LEFT JOIN agent.aliases a ON a.model = v.model AND a.alias = 'champion'
       GROUP BY v.model, a.version, a.at, a.reason ORDER BY v.model LIMIT $1`,
      [limit],
    );
  }

  /** @param version a number, an alias or `latest` */
  version(model: string, version: string): Promise<VersionRow | undefined> {
    return selectOne(
      this.#pool,
      VersionRow,
      `SELECT v.model, v.version::text, v.metrics, ${iso('v.created_at')} AS "registeredAt",
         v.withdrawn_reason AS "withdrawnReason",
         coalesce((SELECT json_agg(a.alias ORDER BY a.alias) FROM agent.aliases a
           WHERE a.model = v.model AND a.version = v.version), '[]') AS aliases
       FROM agent.model_versions v WHERE v.model = $1 AND v.version = ${MEANT}`,
      [model, version],
    );
  }

  /** The champion before the present one, that may come back. */
  async formerChampion(model: string): Promise<string | undefined> {
    const row = await selectOne(
      this.#pool,
      z.object({ version: z.string() }),
      `SELECT c.version::text FROM agent.champions c JOIN agent.model_versions v USING (model, version)
       WHERE c.model = $1 AND v.withdrawn_at IS NULL AND c.version IS DISTINCT FROM
         (SELECT version FROM agent.aliases WHERE model = $1 AND alias = 'champion')
       ORDER BY c.id DESC LIMIT 1`,
      [model],
    );
    return row?.version;
  }
}

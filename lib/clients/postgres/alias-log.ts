import { z } from 'zod';
import { AliasEvent } from '../../../contracts/registry.ts';
import { DatabaseError } from './errors.ts';
import type { Pool } from './pool.ts';
import { execute, iso, lockModel, select, selectOne, transaction, type Queryable } from './query.ts';
import { parseVersion } from './version.ts';

/** PostgreSQL channel that tells of every new row, as JSON `{id, model, alias}`. */
export const ALIAS_CHANNEL = 'saip_alias';

const LiveAlias = z.object({
  model: z.string(),
  alias: z.string(),
  version: z.string(),
  digest: z.string(),
  /** ISO 8601: when the alias began to mean this version. */
  since: z.string(),
  actor: z.string(),
  reason: z.string(),
  workflowId: z.string(),
});
/** An alias, and the version it means. */
export type LiveAlias = z.infer<typeof LiveAlias>;

export interface AliasChange {
  readonly model: string;
  readonly alias: string;
  /** Absent: the alias is taken away. */
  readonly version?: string;
  readonly workflowId: string;
  readonly actor: string;
  readonly reason: string;
  /** Names this change: repeated under the same id, by a retry or a late attempt, it changes nothing. */
  readonly operationId: string;
}

const EVENT = `SELECT id::float8, model, alias, version::text, digest, workflow_id AS "workflowId", actor, reason,
  ${iso('at')} AS at FROM alias_log`;

const LIVE = (
  rows: string,
): string => `SELECT model, alias, version::text, digest, ${iso('at')} AS since, actor, reason,
  workflow_id AS "workflowId" FROM ${rows}`;

/** The newest row of each alias up to a time, without those that take an alias away. */
const UP_TO = (condition: string): string => `(SELECT * FROM (
    SELECT DISTINCT ON (model, alias) * FROM alias_log WHERE ${condition} ORDER BY model, alias, id DESC
  ) newest WHERE version IS NOT NULL) live`;

/** The append-only log of aliases: the truth about what is served. Every method throws DatabaseError. */
export class AliasLog {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * Lets `alias` mean `version`, from now on.
   * @throws DatabaseError MODEL_VERSION_UNKNOWN; MODEL_VERSION_WITHDRAWN; DATABASE_CONFLICT when the operation's id
   * was used for another change
   */
  append(change: AliasChange): Promise<AliasEvent> {
    return transaction(this.#pool, async (client) => {
      await lockModel(client, change.model);
      const earlier = await selectOne(client, AliasEvent, `${EVENT} WHERE operation_id = $1`, [change.operationId]);
      if (earlier !== undefined) return same(earlier, change);
      const signed = change.version === undefined ? undefined : await circulating(client, change.model, change.version);
      return insert(client, change, signed);
    });
  }

  current(model: string, alias: string): Promise<LiveAlias | undefined> {
    return selectOne(this.#pool, LiveAlias, `${LIVE('current_aliases')} WHERE model = $1 AND alias = $2`, [
      model,
      alias,
    ]);
  }

  /** Every alias that means a version now; of one model, or of all. */
  live(model?: string): Promise<LiveAlias[]> {
    const sql = `${LIVE('current_aliases')} WHERE $1::text IS NULL OR model = $1 ORDER BY model, alias`;
    return select(this.#pool, LiveAlias, sql, [model ?? null]);
  }

  /** What the aliases of a model meant at a time (ISO 8601); of one alias, or of all. */
  liveAt(model: string, time: string, alias?: string): Promise<LiveAlias[]> {
    const rows = UP_TO('model = $1 AND at <= $2::timestamptz AND ($3::text IS NULL OR alias = $3)');
    return select(this.#pool, LiveAlias, `${LIVE(rows)} ORDER BY alias`, [model, time, alias ?? null]);
  }

  /** "What was live at T?" */
  async at(model: string, alias: string, time: string): Promise<LiveAlias | undefined> {
    return (await this.liveAt(model, time, alias))[0];
  }

  /** Newest first. */
  history(
    model: string,
    page: {
      readonly alias?: string;
      readonly until?: string;
      readonly beforeId?: number;
      readonly limit?: number;
    } = {},
  ): Promise<AliasEvent[]> {
    return select(
      this.#pool,
      AliasEvent,
      `${EVENT} WHERE model = $1 AND ($2::text IS NULL OR alias = $2) AND ($3::timestamptz IS NULL OR at <= $3)
       AND ($4::bigint IS NULL OR id < $4) ORDER BY id DESC LIMIT $5`,
      [model, page.alias ?? null, page.until ?? null, page.beforeId ?? null, page.limit ?? 50],
    );
  }

  /** The champion before the present one, that may come back: another version, and not withdrawn. */
  previousChampion(model: string): Promise<{ version: string } | undefined> {
    return selectOne(
      this.#pool,
      z.object({ version: z.string() }),
      `SELECT l.version::text FROM alias_log l JOIN model_versions v USING (model, version)
       WHERE l.model = $1 AND l.alias = 'champion' AND v.withdrawn_at IS NULL AND l.version IS DISTINCT FROM
         (SELECT version FROM current_aliases WHERE model = $1 AND alias = 'champion')
       ORDER BY l.id DESC LIMIT 1`,
      [model],
    );
  }
}

interface Signed {
  readonly version: number;
  readonly digest: string;
  readonly signatureSha256: string;
}

async function circulating(client: Queryable, model: string, version: string): Promise<Signed> {
  const row = await selectOne(
    client,
    z.object({ version: z.int(), digest: z.string(), signatureSha256: z.string(), withdrawn: z.boolean() }),
    `SELECT version, digest, signature ->> 'sha256' AS "signatureSha256", withdrawn_at IS NOT NULL AS withdrawn
     FROM model_versions WHERE model = $1 AND version = $2`,
    [model, parseVersion(model, version)],
  );
  if (row === undefined) {
    throw new DatabaseError('MODEL_VERSION_UNKNOWN', `The model ${model} has no version ${version}.`);
  }
  if (row.withdrawn) {
    throw new DatabaseError('MODEL_VERSION_WITHDRAWN', `Version ${version} of ${model} was withdrawn.`);
  }
  return row;
}

async function insert(client: Queryable, change: AliasChange, signed: Signed | undefined): Promise<AliasEvent> {
  await execute(
    client,
    `INSERT INTO alias_log (model, alias, version, digest, signature_sha256, workflow_id, actor, reason, operation_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      change.model,
      change.alias,
      signed?.version,
      signed?.digest,
      signed?.signatureSha256,
      change.workflowId,
      change.actor,
      change.reason,
      change.operationId,
    ],
  );
  const event = await selectOne(client, AliasEvent, `${EVENT} WHERE operation_id = $1`, [change.operationId]);
  if (event === undefined) throw new DatabaseError('DATABASE_REJECTED', 'The new alias row cannot be read.');
  return event;
}

function same(earlier: AliasEvent, change: AliasChange): AliasEvent {
  const equal = (['model', 'alias', 'version'] as const).every((key) => earlier[key] === change[key]);
  if (equal) return earlier;
  throw new DatabaseError('DATABASE_CONFLICT', `The operation ${change.operationId} was another change of an alias.`);
}

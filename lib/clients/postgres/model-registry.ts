import { z } from 'zod';
import { ModelVersion } from '../../../contracts/registry.ts';
import { DatabaseError } from './errors.ts';
import type { Pool } from './pool.ts';
import { execute, iso, lockModel, select, selectOne, transaction, type Queryable } from './query.ts';
import { parseVersion } from './version.ts';

const StoredVersion = ModelVersion.extend({
  withdrawn: z.object({ at: z.string(), reason: z.string() }).optional(),
});
export type StoredVersion = z.infer<typeof StoredVersion>;

const StoredModel = z.object({
  name: z.string(),
  /** How many, the withdrawn ones too. */
  versions: z.int(),
  latestVersion: z.string(),
  /** Alias → version. */
  aliases: z.record(z.string(), z.string()),
  /** ISO 8601: first registration, and newest registration or change of an alias. */
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type StoredModel = z.infer<typeof StoredModel>;

export type NewVersion = Omit<ModelVersion, 'version' | 'createdAt'>;

export interface Withdrawal {
  readonly model: string;
  readonly version: string;
  readonly reason: string;
}

const VERSION = `SELECT model, version::text, digest, files, signature, mlflow_run_id AS "mlflowRunId",
  workflow_id AS "workflowId", metrics, ${iso('created_at')} AS "createdAt",
  CASE WHEN withdrawn_at IS NOT NULL
    THEN json_build_object('at', ${iso('withdrawn_at')}, 'reason', withdrawn_reason) END AS withdrawn
  FROM model_versions`;

const MODEL = `SELECT m.model AS name, count(*)::int AS versions, max(m.version)::text AS "latestVersion",
  coalesce((SELECT json_object_agg(a.alias, a.version::text) FROM current_aliases a WHERE a.model = m.model), '{}') AS aliases,
  ${iso('min(m.created_at)')} AS "createdAt",
  ${iso('greatest(max(m.created_at), (SELECT max(l.at) FROM alias_log l WHERE l.model = m.model))')} AS "updatedAt"
  FROM model_versions m`;

/** Registered model versions in PostgreSQL. Every method throws DatabaseError when the database fails. */
export class ModelRegistry {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * Gives the model its next version: 1, 2, 3, … The same workflow registering the same digest again gets the version
   * it has, whatever happened in between.
   * @throws DatabaseError MODEL_VERSION_WITHDRAWN when that version was withdrawn
   */
  register(version: NewVersion): Promise<StoredVersion> {
    return transaction(this.#pool, async (client) => {
      await lockModel(client, version.model);
      const earlier = await registeredBy(client, version);
      if (earlier?.withdrawn !== undefined) throw withdrawnVersion(earlier);
      return earlier ?? (await insert(client, version));
    });
  }

  /** @throws DatabaseError MODEL_UNKNOWN, MODEL_VERSION_UNKNOWN */
  async get(model: string, version: string): Promise<StoredVersion> {
    const found = await selectOne(this.#pool, StoredVersion, `${VERSION} WHERE model = $1 AND version = $2`, [
      model,
      parseVersion(model, version),
    ]);
    if (found !== undefined) return found;
    await this.model(model);
    throw unknownVersion(model, version);
  }

  /** What a workflow registered and nobody withdrew. */
  circulating(model: string, workflowId: string): Promise<StoredVersion[]> {
    const sql = `${VERSION} WHERE model = $1 AND workflow_id = $2 AND withdrawn_at IS NULL ORDER BY version`;
    return select(this.#pool, StoredVersion, sql, [model, workflowId]);
  }

  /** Newest first. */
  versions(model: string, page: { readonly before?: string; readonly limit?: number } = {}): Promise<StoredVersion[]> {
    return select(
      this.#pool,
      StoredVersion,
      `${VERSION} WHERE model = $1 AND ($2::int IS NULL OR version < $2) ORDER BY version DESC LIMIT $3`,
      [model, page.before === undefined ? null : parseVersion(model, page.before), page.limit ?? 50],
    );
  }

  /** By name. */
  models(page: { readonly after?: string; readonly limit?: number } = {}): Promise<StoredModel[]> {
    return select(this.#pool, StoredModel, `${MODEL} WHERE m.model > $1 GROUP BY m.model ORDER BY m.model LIMIT $2`, [
      page.after ?? '',
      page.limit ?? 50,
    ]);
  }

  /** @throws DatabaseError MODEL_UNKNOWN */
  async model(name: string): Promise<StoredModel> {
    const found = await selectOne(this.#pool, StoredModel, `${MODEL} WHERE m.model = $1 GROUP BY m.model`, [name]);
    if (found === undefined) throw new DatabaseError('MODEL_UNKNOWN', `No model ${name} is registered.`);
    return found;
  }

  /**
   * Takes a version out of circulation for good, and with it the aliases that mean it. A second time changes nothing.
   * @returns the aliases that were taken away now
   * @throws DatabaseError MODEL_UNKNOWN, MODEL_VERSION_UNKNOWN
   */
  async withdraw({ model, version, reason }: Withdrawal): Promise<string[]> {
    const { workflowId } = await this.get(model, version);
    return transaction(this.#pool, async (client) => {
      await lockModel(client, model);
      await execute(
        client,
        `UPDATE model_versions SET withdrawn_at = clock_timestamp(), withdrawn_reason = $3
         WHERE model = $1 AND version = $2 AND withdrawn_at IS NULL`,
        [model, parseVersion(model, version), reason],
      );
      const taken = await select(
        client,
        z.object({ alias: z.string() }),
        `INSERT INTO alias_log (model, alias, workflow_id, actor, reason, operation_id)
         SELECT model, alias, $3, 'withdrawal', $4, format('withdrawal/%s/%s/%s/%s', model, version, alias, id)
         FROM current_aliases WHERE model = $1 AND version = $2 RETURNING alias`,
        [model, parseVersion(model, version), workflowId, reason],
      );
      return taken.map((row) => row.alias);
    });
  }
}

function registeredBy(
  client: Queryable,
  { model, workflowId, digest }: NewVersion,
): Promise<StoredVersion | undefined> {
  const sql = `${VERSION} WHERE model = $1 AND workflow_id = $2 AND digest = $3`;
  return selectOne(client, StoredVersion, sql, [model, workflowId, digest]);
}

async function insert(client: Queryable, version: NewVersion): Promise<StoredVersion> {
  await execute(
    client,
    `INSERT INTO model_versions (model, version, digest, files, signature, mlflow_run_id, workflow_id, metrics)
     SELECT $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5, $6, $7 FROM model_versions WHERE model = $1`,
    [
      version.model,
      version.digest,
      JSON.stringify(version.files),
      JSON.stringify(version.signature),
      version.mlflowRunId,
      version.workflowId,
      JSON.stringify(version.metrics),
    ],
  );
  const registered = await registeredBy(client, version);
  if (registered === undefined) throw new DatabaseError('DATABASE_REJECTED', 'The registered version cannot be read.');
  return registered;
}

function unknownVersion(model: string, version: string): DatabaseError {
  return new DatabaseError('MODEL_VERSION_UNKNOWN', `The model ${model} has no version ${version}.`);
}

function withdrawnVersion({ model, version }: StoredVersion): DatabaseError {
  return new DatabaseError('MODEL_VERSION_WITHDRAWN', `Version ${version} of ${model} was withdrawn.`);
}

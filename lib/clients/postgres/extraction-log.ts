import { ExtractionRecord } from '../../../contracts/extraction.ts';
import type { Pool } from './pool.ts';
import { execute, iso, select, selectOne } from './query.ts';
import { parseVersion } from './version.ts';

export type NewExtractionRecord = Omit<ExtractionRecord, 'id' | 'at'>;

const RECORD = `SELECT id::float8, model, version::text, digest, config_sha256 AS "configSha256", extraction, curve,
  workflow_id AS "workflowId", run_id AS "runId", mlflow_run_id AS "mlflowRunId", ${iso('at')} AS at FROM extraction_curves`;

/** What copies of models cost in queries, in PostgreSQL. Every method throws DatabaseError. */
export class ExtractionLog {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Keeps a curve; the same run measuring again keeps the first one. */
  async append(record: NewExtractionRecord): Promise<void> {
    const { model, version, digest, configSha256, extraction, curve, workflowId, runId, mlflowRunId } = record;
    await execute(
      this.#pool,
      `INSERT INTO extraction_curves
         (workflow_id, run_id, model, version, config_sha256, digest, extraction, curve, mlflow_run_id)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
      [
        ...[workflowId, runId, model, parseVersion(model, version), configSha256, digest],
        ...[JSON.stringify(extraction), JSON.stringify(curve), mlflowRunId],
      ],
    );
  }

  newest(model: string): Promise<ExtractionRecord | undefined> {
    return selectOne(this.#pool, ExtractionRecord, `${RECORD} WHERE model = $1 ORDER BY id DESC LIMIT 1`, [model]);
  }

  /** Newest first. */
  list(page: {
    readonly model?: string;
    readonly beforeId?: number;
    readonly limit: number;
  }): Promise<ExtractionRecord[]> {
    return select(
      this.#pool,
      ExtractionRecord,
      `${RECORD} WHERE ($1::text IS NULL OR model = $1) AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
      [page.model ?? null, page.beforeId ?? null, page.limit],
    );
  }
}

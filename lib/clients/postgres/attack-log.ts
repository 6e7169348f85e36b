import { z } from 'zod';
import { AttackRecord } from '../../../contracts/attack-retest.ts';
import { ArtifactRef } from '../../../contracts/reference.ts';
import { AttackEvidence } from '../../../contracts/release.ts';
import { DatabaseError } from './errors.ts';
import type { Pool } from './pool.ts';
import { execute, iso, select, selectOne } from './query.ts';
import { parseVersion } from './version.ts';

export type NewAttackRecord = Omit<AttackRecord, 'id' | 'at'> & { readonly runId: string };

const FinishedBatch = z.object({ batch: z.int().nonnegative(), ref: ArtifactRef });

const RECORD = `SELECT id::float8, model, version::text, digest, config_sha256 AS "configSha256", measurement, measured,
  workflow_id AS "workflowId", ${iso('at')} AS at FROM attack_results`;

/** Results of attacks in PostgreSQL. Every method throws DatabaseError when the database fails. */
export class AttackLog {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Batch number → result, of those finished under this key on devices of this class. */
  async finishedBatches(key: string, deviceClass: string): Promise<Map<number, ArtifactRef>> {
    const sql = 'SELECT batch, ref FROM attack_batches WHERE key = $1 AND device_class = $2';
    const rows = await select(this.#pool, FinishedBatch, sql, [key, deviceClass]);
    return new Map(rows.map(({ batch, ref }) => [batch, ref]));
  }

  async commitBatch(a: { key: string; deviceClass: string; batch: number; ref: ArtifactRef }): Promise<void> {
    await execute(
      this.#pool,
      `INSERT INTO attack_batches (key, device_class, batch, ref) VALUES ($1, $2, $3, $4)
       ON CONFLICT (key, device_class, batch) DO UPDATE SET ref = EXCLUDED.ref, at = clock_timestamp()`,
      [a.key, a.deviceClass, a.batch, JSON.stringify(a.ref)],
    );
  }

  /** Keeps a result; the same run measuring the same version again keeps the first one. */
  async append(record: NewAttackRecord): Promise<AttackRecord> {
    const { model, version, digest, configSha256, measurement, measured, workflowId, runId } = record;
    const identity = [workflowId, runId, model, parseVersion(model, version), configSha256];
    await execute(
      this.#pool,
      `INSERT INTO attack_results (workflow_id, run_id, model, version, config_sha256, digest, measurement, measured)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
      [...identity, digest, JSON.stringify(measurement), JSON.stringify(measured)],
    );
    const stored = await selectOne(
      this.#pool,
      AttackRecord,
      `${RECORD} WHERE workflow_id = $1 AND run_id = $2 AND model = $3 AND version = $4 AND config_sha256 = $5`,
      identity,
    );
    if (stored === undefined) throw new DatabaseError('DATABASE_REJECTED', 'The stored result cannot be read.');
    return stored;
  }

  /**
   * What a measurement is compared with: the oldest result of the same model and configuration, or else the newest of
   * another version.
   */
  async baseline(a: { model: string; digest: string; configSha256: string }): Promise<AttackRecord | undefined> {
    const of = 'WHERE model = $1 AND config_sha256 = $2';
    const same = await selectOne(this.#pool, AttackRecord, `${RECORD} ${of} AND digest = $3 ORDER BY id LIMIT 1`, [
      a.model,
      a.configSha256,
      a.digest,
    ]);
    const newest = `${RECORD} ${of} ORDER BY id DESC LIMIT 1`;
    return same ?? selectOne(this.#pool, AttackRecord, newest, [a.model, a.configSha256]);
  }

  /** The newest result about exactly this model folder, as evidence for its release. */
  evidence({ model, digest }: { model: string; digest: string }): Promise<AttackEvidence | undefined> {
    return selectOne(
      this.#pool,
      AttackEvidence,
      `SELECT workflow_id AS "workflowId", digest, ${iso('at')} AS "measuredAt", (measured ->> 'samples')::int AS samples,
         measured -> 'clean' AS clean, measured -> 'worst' AS worst, measurement
       FROM attack_results WHERE model = $1 AND digest = $2 ORDER BY id DESC LIMIT 1`,
      [model, digest],
    );
  }

  /** Newest first. */
  list(page: { readonly model?: string; readonly beforeId?: number; readonly limit: number }): Promise<AttackRecord[]> {
    return select(
      this.#pool,
      AttackRecord,
      `${RECORD} WHERE ($1::text IS NULL OR model = $1) AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
      [page.model ?? null, page.beforeId ?? null, page.limit],
    );
  }
}

import { z } from 'zod';
import { ArtifactRef } from '../../../contracts/reference.ts';
import { CachedStage, StepEntry } from '../../../contracts/step-cache.ts';
import type { StepEnvironment } from '../../../contracts/step-cache.ts';
import type { Pool } from './pool.ts';
import { execute, iso, select, transaction } from './query.ts';

/** A worker that was not seen for this long does not count, as long as another one lives. */
const WORKER_LIFE_SECONDS = 45;
/** Workers that have not been seen for days say nothing about what would run now. */
const WORKER_MEMORY_DAYS = 7;

const KeptStep = z.object({
  key: z.string(),
  stage: CachedStage,
  output: z.unknown(),
  artifacts: z.array(ArtifactRef),
  workflowId: z.string(),
  runId: z.string(),
  tenant: z.string(),
  /** What the key is the digest of. */
  material: z.unknown(),
  /** HMAC over all of the above; absent in an entry that nobody vouches for. */
  mac: z.string().optional(),
});
export type KeptStep = z.infer<typeof KeptStep>;

export interface NewKeptStep extends KeptStep {
  readonly mac: string;
  /** Days after its last use that it is kept. */
  readonly days: number;
  /** Takes the place of an earlier entry. */
  readonly refresh: boolean;
}

const StepWorker = z.object({
  worker: z.string(),
  pool: z.enum(['cpu', 'gpu']),
  environment: z.record(z.string(), z.union([z.string(), z.number()])),
  code: z.partialRecord(CachedStage, z.string()),
});
/** What a worker would compute with: its environment, and the digest of each stage's code. */
export type StepWorker = z.infer<typeof StepWorker> & { readonly environment: StepEnvironment };

const KEPT = `key, stage, output, artifacts, workflow_id AS "workflowId", run_id AS "runId",
  tenant, material, mac`;
const ENTRY = `SELECT key, stage, tenant, workflow_id AS "workflowId", run_id AS "runId", bytes::float8, uses,
  ${iso('created_at')} AS "createdAt", ${iso('used_at')} AS "usedAt", ${iso('expires_at')} AS "expiresAt"
  FROM step_entries`;

/** Kept results of stages in PostgreSQL. Every method throws DatabaseError when the database fails. */
export class StepStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Notes that a worker lives, and forgets the ones long gone. */
  async announce({ worker, pool, environment, code }: StepWorker): Promise<void> {
    await execute(
      this.#pool,
      `INSERT INTO step_workers (worker, pool, environment, code) VALUES ($1, $2, $3, $4)
       ON CONFLICT (worker) DO UPDATE SET pool = EXCLUDED.pool, environment = EXCLUDED.environment,
         code = EXCLUDED.code, seen_at = clock_timestamp()`,
      [worker, pool, JSON.stringify(environment), JSON.stringify(code)],
    );
    const old = `DELETE FROM step_workers WHERE seen_at < clock_timestamp() - make_interval(days => $1)`;
    await execute(this.#pool, old, [WORKER_MEMORY_DAYS]);
  }

  /** The workers of a pool that live; while none does, the one that was seen last. */
  liveWorkers(pool: StepWorker['pool']): Promise<StepWorker[]> {
    return select(
      this.#pool,
      StepWorker,
      `SELECT worker, pool, environment, code FROM step_workers
       WHERE pool = $1 AND (seen_at > clock_timestamp() - make_interval(secs => $2)
         OR worker = (SELECT worker FROM step_workers WHERE pool = $1 ORDER BY seen_at DESC LIMIT 1))
       ORDER BY seen_at DESC`,
      [pool, WORKER_LIFE_SECONDS],
    );
  }

  /** Entries in force under these keys. Their end moves at once, so that none is collected while it is looked at. */
  claim(keys: readonly string[], days: number): Promise<KeptStep[]> {
    return select(
      this.#pool,
      KeptStep,
      `UPDATE step_entries SET uses = uses + 1, used_at = clock_timestamp(),
         expires_at = clock_timestamp() + make_interval(days => $2)
       WHERE key = ANY ($1) AND expires_at > clock_timestamp() RETURNING ${KEPT}`,
      [keys, days],
    );
  }

  async drop(key: string): Promise<void> {
    await execute(this.#pool, 'DELETE FROM step_entries WHERE key = $1', [key]);
  }

  /** Keeps a result where none is in force under its key. @returns whether it was kept now */
  keep(step: NewKeptStep): Promise<boolean> {
    const { key, tenant, stage, output, artifacts, material, workflowId, runId, mac, days, refresh } = step;
    const bytes = artifacts.reduce((sum, ref) => sum + ref.bytes, 0);
    return transaction(this.#pool, async (client) => {
      const former = 'DELETE FROM step_entries WHERE key = $1 AND ($2 OR expires_at <= clock_timestamp())';
      await execute(client, former, [key, refresh]);
      const written = await execute(
        client,
        `INSERT INTO step_entries
           (key, tenant, stage, output, artifacts, bytes, material, workflow_id, run_id, mac, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, clock_timestamp() + make_interval(days => $11))
         ON CONFLICT (key) DO NOTHING`,
        [
          ...[key, tenant, stage, JSON.stringify(output), JSON.stringify(artifacts), bytes],
          ...[JSON.stringify(material), workflowId, runId, mac, days],
        ],
      );
      return written === 1;
    });
  }

  /** Deletes what has expired. @returns what it was */
  removeExpired(): Promise<KeptStep[]> {
    const sql = `DELETE FROM step_entries WHERE expires_at <= clock_timestamp() RETURNING ${KEPT}`;
    return select(this.#pool, KeptStep, sql);
  }

  /** Those of the digests that a row of the platform names. */
  async mentioned(digests: readonly string[]): Promise<Set<string>> {
    const sql = 'SELECT sha256 FROM artifact_mentions WHERE sha256 = ANY ($1)';
    const rows = await select(this.#pool, z.object({ sha256: z.string() }), sql, [digests]);
    return new Set(rows.map(({ sha256 }) => sha256));
  }

  /** Notes that a system outside names these artifacts by their URI. */
  async hold(digests: readonly string[], holder: string): Promise<void> {
    await execute(
      this.#pool,
      'INSERT INTO artifact_holders (sha256, holder) SELECT unnest($1::text[]), $2 ON CONFLICT DO NOTHING',
      [digests, holder],
    );
  }

  /** Last used first. @param page `before`: time of the last entry that was shown */
  list(page: {
    readonly tenant: string;
    readonly stage?: CachedStage;
    readonly before?: string;
    readonly limit: number;
  }): Promise<StepEntry[]> {
    return select(
      this.#pool,
      StepEntry,
      `${ENTRY} WHERE tenant = $1 AND expires_at > clock_timestamp() AND ($2::text IS NULL OR stage = $2)
       AND ($3::timestamptz IS NULL OR used_at < $3) ORDER BY used_at DESC LIMIT $4`,
      [page.tenant, page.stage ?? null, page.before ?? null, page.limit],
    );
  }
}

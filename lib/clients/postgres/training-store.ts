import { z } from 'zod';
import { ArtifactRef } from '../../../contracts/reference.ts';
import type { StoredCheckpoint, TrainingPlan, TrainingStore as Contract } from '../../../contracts/training-store.ts';
import { DatabaseError } from './errors.ts';
import type { Pool } from './pool.ts';
import { execute, selectOne } from './query.ts';

const Token = z.object({ token: z.coerce.number().int().positive() });
const Checkpoint = z.object({ step: z.coerce.number().int().nonnegative(), ref: ArtifactRef });
const Plan = z.object({
  plan: z.object({
    replicas: z.int().min(1),
    threads: z.int().min(0),
    split: z.int().min(1),
  }),
});

/** Holds the fence against a new owner until the statement's end, and finds nothing when the token is an old one. */
const FENCE = 'WITH fence AS (SELECT key, token FROM training_fences WHERE key = $1 AND token = $2 FOR SHARE)';

/** Checkpoints and plans of trainings in PostgreSQL. Every method throws DatabaseError when the database fails. */
export class TrainingStore implements Contract {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async acquireFence(key: string): Promise<number> {
    const row = await selectOne(
      this.#pool,
      Token,
      `INSERT INTO training_fences (key, token) VALUES ($1, 1)
       ON CONFLICT (key) DO UPDATE SET token = training_fences.token + 1, acquired_at = clock_timestamp()
       RETURNING token`,
      [key],
    );
    if (row === undefined) throw new DatabaseError('DATABASE_REJECTED', 'The fence of the training was not given.');
    return row.token;
  }

  /** @throws DatabaseError TRAINING_FENCED when a newer attempt owns the training */
  async commitCheckpoint(a: { key: string; token: number; deviceClass: string } & StoredCheckpoint): Promise<void> {
    const written = await execute(
      this.#pool,
      `${FENCE}
       INSERT INTO training_checkpoints (key, token, device_class, step, ref) SELECT key, token, $3, $4, $5 FROM fence
       ON CONFLICT (key, device_class, step)
       DO UPDATE SET ref = EXCLUDED.ref, token = EXCLUDED.token, at = clock_timestamp()`,
      [a.key, a.token, a.deviceClass, a.step, JSON.stringify(a.ref)],
    );
    if (written === 0) throw fenced(a.key);
  }

  latestCheckpoint(key: string, deviceClass: string, before?: number): Promise<StoredCheckpoint | undefined> {
    return selectOne(
      this.#pool,
      Checkpoint,
      `SELECT step, ref FROM training_checkpoints WHERE key = $1 AND device_class = $2
       AND ($3::bigint IS NULL OR step < $3) ORDER BY step DESC LIMIT 1`,
      [key, deviceClass, before ?? null],
    );
  }

  /** @throws DatabaseError TRAINING_FENCED when a newer attempt owns the training */
  async savePlan(a: { key: string; token: number; deviceClass: string; plan: TrainingPlan }): Promise<void> {
    const written = await execute(
      this.#pool,
      `${FENCE}
       INSERT INTO training_plans (key, token, device_class, plan) SELECT key, token, $3, $4 FROM fence
       ON CONFLICT (key, device_class)
       DO UPDATE SET plan = EXCLUDED.plan, token = EXCLUDED.token, at = clock_timestamp()`,
      [a.key, a.token, a.deviceClass, JSON.stringify(a.plan)],
    );
    if (written === 0) throw fenced(a.key);
  }

  async plan(key: string, deviceClass: string): Promise<TrainingPlan | undefined> {
    const sql = 'SELECT plan FROM training_plans WHERE key = $1 AND device_class = $2';
    return (await selectOne(this.#pool, Plan, sql, [key, deviceClass]))?.plan;
  }
}

function fenced(key: string): DatabaseError {
  return new DatabaseError('TRAINING_FENCED', `A newer attempt owns the training ${key}.`);
}

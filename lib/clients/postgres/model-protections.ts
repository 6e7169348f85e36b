import { z } from 'zod';
import { Protection, ProtectionView, type ProtectionRequest } from '../../../contracts/misuse.ts';
import { Role } from '../../../contracts/roles.ts';
import type { Pool } from './pool.ts';
import { execute, iso, select } from './query.ts';

const Row = z.object({ model: z.string(), role: Role.optional(), settings: Protection });
/** What counts for a model and a role; without a role for every one. */
export type ModelProtection = z.infer<typeof Row>;

const COLUMNS = `nullif(role, '') AS role, settings`;

/** What models tell whom. Every method throws DatabaseError. */
export class ModelProtections {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  all(): Promise<ModelProtection[]> {
    return select(this.#pool, Row, `SELECT model, ${COLUMNS} FROM model_protections`);
  }

  list(model: string): Promise<ProtectionView[]> {
    const sql = `SELECT ${COLUMNS}, set_by AS "setBy", ${iso('set_at')} AS "setAt" FROM model_protections
      WHERE model = $1 ORDER BY role`;
    return select(this.#pool, ProtectionView, sql, [model]);
  }

  /** Takes the place of what was set for this role; empty settings take it away. */
  async set(model: string, { role, settings }: ProtectionRequest, setBy: string): Promise<void> {
    if (Object.keys(settings).length === 0) {
      await execute(this.#pool, 'DELETE FROM model_protections WHERE model = $1 AND role = $2', [model, role ?? '']);
      return;
    }
    await execute(
      this.#pool,
      `INSERT INTO model_protections (model, role, settings, set_by) VALUES ($1, $2, $3, $4)
       ON CONFLICT (model, role) DO UPDATE SET settings = EXCLUDED.settings, set_by = EXCLUDED.set_by,
         set_at = clock_timestamp()`,
      [model, role ?? '', JSON.stringify(settings), setBy],
    );
  }
}

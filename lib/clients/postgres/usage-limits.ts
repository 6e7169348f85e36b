import { z } from 'zod';
import type { BudgetSource } from '../../../contracts/extraction.ts';
import { LimitView, type LimitRemoval, type LimitRequest, type LimitSelector } from '../../../contracts/limits.ts';
import type { LimitRule } from '../../limits/index.ts';
import type { Pool } from './pool.ts';
import { execute, iso, select } from './query.ts';

const COLUMNS = `kind, name, nullif(model, '') AS model, rate, burst, daily_rows::float8 AS "dailyRows",
  budget_rows::float8 AS "budgetRows"`;

const Rule = LimitView.omit({ budgetSource: true, setBy: true, setAt: true }).extend({ tenant: z.string() });

/** How much callers may ask of models. Every method throws DatabaseError. */
export class UsageLimits {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Of all tenants, for whoever enforces them. */
  rules(): Promise<LimitRule[]> {
    return select(this.#pool, Rule, `SELECT tenant, ${COLUMNS} FROM usage_limits`);
  }

  list(tenant: string): Promise<LimitView[]> {
    const sql = `SELECT ${COLUMNS}, budget_source AS "budgetSource", set_by AS "setBy", ${iso('set_at')} AS "setAt"
      FROM usage_limits WHERE tenant = $1
      ORDER BY array_position(ARRAY['key', 'subject', 'role', 'everybody'], kind), name, model`;
    return select(this.#pool, LimitView, sql, [tenant]);
  }

  /** Takes the place of what was set for this caller and model. */
  async set(tenant: string, limit: LimitRequest, setBy: string): Promise<void> {
    const { kind, name, model = '', rate, burst, dailyRows, budgetRows } = limit;
    await execute(
      this.#pool,
      `INSERT INTO usage_limits (tenant, kind, name, model, rate, burst, daily_rows, budget_rows, set_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       ON CONFLICT (tenant, kind, name, model) DO UPDATE SET rate = EXCLUDED.rate, burst = EXCLUDED.burst,
         daily_rows = EXCLUDED.daily_rows, budget_rows = EXCLUDED.budget_rows, budget_source = NULL,
         set_by = EXCLUDED.set_by, set_at = clock_timestamp()`,
      [...[tenant, kind, name, model, rate ?? null], ...[burst ?? null, dailyRows ?? null, budgetRows ?? null, setBy]],
    );
  }

  /** Sets the budget alone, with the curve it comes from; what else was set for this caller and model stays. */
  async setBudget(
    tenant: string,
    { kind, name, model }: Required<LimitSelector>,
    budget: { readonly budgetRows: number; readonly source: BudgetSource; readonly setBy: string },
  ): Promise<void> {
    await execute(
      this.#pool,
      `INSERT INTO usage_limits (tenant, kind, name, model, budget_rows, budget_source, set_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (tenant, kind, name, model) DO UPDATE SET budget_rows = EXCLUDED.budget_rows,
         budget_source = EXCLUDED.budget_source, set_by = EXCLUDED.set_by, set_at = clock_timestamp()`,
      [tenant, kind, name, model, budget.budgetRows, JSON.stringify(budget.source), budget.setBy],
    );
  }

  /** @returns whether there was one */
  async remove(tenant: string, { kind, name, model = '' }: LimitRemoval): Promise<boolean> {
    const sql = 'DELETE FROM usage_limits WHERE tenant = $1 AND kind = $2 AND name = $3 AND model = $4';
    return (await execute(this.#pool, sql, [tenant, kind, name, model])) > 0;
  }
}

import { z } from 'zod';
import { MisuseFlag, type FlagEvidence, type FlagKind } from '../../../contracts/misuse.ts';
import { AuditLog } from './audit-log.ts';
import type { Pool } from './pool.ts';
import { execute, iso, select, selectOne, transaction } from './query.ts';

export interface NewFlag {
  readonly tenant: string;
  readonly subject: string;
  readonly model: string;
  readonly kind: FlagKind;
  readonly evidence: FlagEvidence;
}

const OpenFlag = z.object({
  id: z.int(),
  tenant: z.string(),
  subject: z.string(),
  model: z.string(),
  kind: z.string(),
});
export type OpenFlag = z.infer<typeof OpenFlag>;

const BudgetAllowance = z.object({ tenant: z.string(), subject: z.string(), model: z.string(), rows: z.number() });
export type BudgetAllowance = z.infer<typeof BudgetAllowance>;

const TenantFlag = MisuseFlag.extend({ tenant: z.string() });
export type TenantFlag = z.infer<typeof TenantFlag>;

const FLAG = `SELECT id::integer, tenant, subject, model, kind, evidence, ${iso('flagged_at')} AS "flaggedAt",
  ${iso('lifted_at')} AS "liftedAt", lifted_by AS "liftedBy", lift_reason AS "liftReason" FROM misuse_flags`;

/** Callers who were flagged, and who lifted it. Every method throws DatabaseError. */
export class MisuseFlags {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * Flags a caller for a model; the record of why counts together with it.
   * @returns false where the same flag is open already
   */
  raise({ tenant, subject, model, kind, evidence }: NewFlag): Promise<boolean> {
    const sql = `INSERT INTO misuse_flags (tenant, subject, model, kind, evidence) VALUES ($1, $2, $3, $4, $5)
      ON CONFLICT (tenant, subject, model, kind) WHERE lifted_at IS NULL DO NOTHING`;
    return transaction(this.#pool, async (client) => {
      const values = [tenant, subject, model, kind, JSON.stringify(evidence)];
      if ((await execute(client, sql, values)) === 0) return false;
      const numbers = Object.entries(evidence).map(([name, value]): [string, string] => [name, String(value)]);
      const detail = { kind, ...Object.fromEntries(numbers) };
      const about = { actor: subject, action: 'misuse:flag', subject: `model:${model}`, decision: 'deny' };
      await new AuditLog(client).append({ ...about, detail });
      return true;
    });
  }

  /** Of all tenants, for whoever enforces them. */
  open(): Promise<OpenFlag[]> {
    const sql = 'SELECT id::integer, tenant, subject, model, kind FROM misuse_flags WHERE lifted_at IS NULL';
    return select(this.#pool, OpenFlag, sql);
  }

  /** Rows up to which a person let pass the query budget of the last 30 days, by lifting its flag. */
  allowances(): Promise<BudgetAllowance[]> {
    const sql = `SELECT tenant, subject, model, max((evidence->>'rows')::float8) AS rows FROM misuse_flags
      WHERE kind = 'query-budget' AND lifted_at > clock_timestamp() - interval '30 days'
      GROUP BY tenant, subject, model`;
    return select(this.#pool, BudgetAllowance, sql);
  }

  find(id: number): Promise<TenantFlag | undefined> {
    return selectOne(this.#pool, TenantFlag, `${FLAG} WHERE id = $1`, [id]);
  }

  /** Newest first. @param page `before`: id of the last one that was shown */
  list(page: {
    readonly tenant: string;
    readonly subject?: string;
    readonly model?: string;
    readonly all: boolean;
    readonly before?: number;
    readonly limit: number;
  }): Promise<MisuseFlag[]> {
    return select(
      this.#pool,
      MisuseFlag,
      `${FLAG} WHERE tenant = $1 AND ($2::text IS NULL OR subject = $2) AND ($3::text IS NULL OR model = $3)
         AND ($4 OR lifted_at IS NULL) AND ($5::bigint IS NULL OR id < $5) ORDER BY id DESC LIMIT $6`,
      [page.tenant, page.subject ?? null, page.model ?? null, page.all, page.before ?? null, page.limit],
    );
  }

  /** @returns false where it was lifted before */
  async lift(id: number, { by, reason }: { readonly by: string; readonly reason: string }): Promise<boolean> {
    const sql = `UPDATE misuse_flags SET lifted_at = clock_timestamp(), lifted_by = $2, lift_reason = $3
      WHERE id = $1 AND lifted_at IS NULL`;
    return (await execute(this.#pool, sql, [id, by, reason])) > 0;
  }
}

import { z } from 'zod';
import type { Pool } from './pool.ts';
import { execute, iso, select } from './query.ts';

const AuditEntry = z.object({
  id: z.int(),
  /** ISO 8601. */
  at: z.string(),
  /** Subject of a token, or `worker:<pool>`. */
  actor: z.string(),
  action: z.string(),
  /** What was acted on, e.g. `model:mnist-cnn`. */
  subject: z.string(),
  decision: z.string(),
  /** W3C trace id. */
  traceId: z.string().optional(),
  detail: z.record(z.string(), z.string()),
});
export type AuditEntry = z.infer<typeof AuditEntry>;
export interface NewAuditEntry extends Readonly<Omit<AuditEntry, 'id' | 'at'>> {
  /** Names this entry: repeated under the same id it is written once. */
  readonly operationId?: string;
}

export interface AuditQuery {
  readonly actor?: string;
  readonly action?: string;
  readonly subject?: string;
  readonly beforeId?: number;
  readonly limit?: number;
}

/** The append-only record of who wanted what. Every method throws DatabaseError. */
export class AuditLog {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Durable when it returns. The worker's role may only append. */
  async append(entry: NewAuditEntry): Promise<void> {
    await execute(
      this.#pool,
      `INSERT INTO audit_log (actor, action, subject, decision, trace_id, detail, operation_id)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
      [
        entry.actor,
        entry.action,
        entry.subject,
        entry.decision,
        entry.traceId,
        JSON.stringify(entry.detail),
        entry.operationId,
      ],
    );
  }

  /** Newest first. */
  entries(query: AuditQuery = {}): Promise<AuditEntry[]> {
    return select(
      this.#pool,
      AuditEntry,
      `SELECT id::float8, ${iso('at')} AS at, actor, action, subject, decision, trace_id AS "traceId", detail FROM audit_log
       WHERE ($1::text IS NULL OR actor = $1) AND ($2::text IS NULL OR action = $2)
       AND ($3::text IS NULL OR subject = $3) AND ($4::bigint IS NULL OR id < $4) ORDER BY id DESC LIMIT $5`,
      [query.actor ?? null, query.action ?? null, query.subject ?? null, query.beforeId ?? null, query.limit ?? 50],
    );
  }
}

import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Pool } from './pool.ts';
import { RECORD_COLUMNS } from './audit-rows.ts';
import { execute, select, type Queryable } from './query.ts';

const AuditEntry = z.object({
  id: z.int(),
  /** ISO 8601. */
  at: z.string(),
  /** Subject of a token, or `worker:<pool>`. Absent once it was erased, as are the other personal parts. */
  actor: z.string().optional(),
  action: z.string(),
  /** What was acted on, e.g. `model:mnist-cnn`. */
  subject: z.string().optional(),
  decision: z.string(),
  /** W3C trace id. */
  traceId: z.string().optional(),
  detail: z.record(z.string(), z.string()).optional(),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

const LoggedEntry = AuditEntry.extend({
  /** UUID. */
  recordId: z.string(),
  /** Its leaf in the tree, once it has one. */
  index: z.int().optional(),
  /** Hexadecimal digits; what the leaf commits to the personal parts with. */
  salt: z.string().optional(),
  commitment: z.string().optional(),
  erasedBy: z.string().optional(),
});
export type LoggedEntry = z.infer<typeof LoggedEntry>;

export interface NewAuditEntry extends Readonly<Required<Omit<AuditEntry, 'id' | 'at' | 'traceId'>>> {
  readonly traceId?: string;
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
  readonly #pool: Queryable | Pool;

  /** @param pool or the one connection of a transaction, for an entry that counts together with something else */
  constructor(pool: Queryable | Pool) {
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

  /**
   * Appends records that were written elsewhere before; one that is there already is passed over.
   * @param records JSON array, its elements as `SpooledRecord` of lib/audit
   */
  async appendSpooled(records: string): Promise<void> {
    await execute(
      this.#pool,
      `INSERT INTO audit_log (record_id, at, actor, action, subject, decision, trace_id, detail, salt)
       SELECT id, at, actor, action, subject, decision, "traceId", detail, sha256($2::bytea || uuid_send(id))
       FROM json_to_recordset($1::json)
       AS r(id uuid, at timestamptz, actor text, action text, subject text, decision text, "traceId" text, detail jsonb)
       ON CONFLICT DO NOTHING`,
      // Salts that follow from one random number which nobody keeps: the database would read the system's for each row.
      [records, randomBytes(32)],
    );
  }

  /** Newest first. */
  entries(query: AuditQuery = {}): Promise<LoggedEntry[]> {
    return select(
      this.#pool,
      LoggedEntry,
      `SELECT id::float8, leaf_index::float8 AS "index", encode(commitment, 'hex') AS commitment, ${RECORD_COLUMNS}
       FROM audit_log LEFT JOIN audit_leaves ON record = id
       WHERE ($1::text IS NULL OR actor = $1) AND ($2::text IS NULL OR action = $2)
       AND ($3::text IS NULL OR subject = $3) AND ($4::bigint IS NULL OR id < $4) ORDER BY id DESC LIMIT $5`,
      [query.actor ?? null, query.action ?? null, query.subject ?? null, query.beforeId ?? null, query.limit ?? 50],
    );
  }

  /** By their place in the tree, from `index` on. */
  leaves(index: number, limit: number): Promise<LoggedEntry[]> {
    return select(
      this.#pool,
      LoggedEntry,
      `SELECT id::float8, leaf_index::float8 AS "index", encode(commitment, 'hex') AS commitment, ${RECORD_COLUMNS}
       FROM audit_leaves JOIN audit_log ON record = id WHERE leaf_index >= $1 ORDER BY leaf_index LIMIT $2`,
      [index, limit],
    );
  }
}

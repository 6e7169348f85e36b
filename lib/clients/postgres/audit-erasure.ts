import { randomUUID } from 'node:crypto';
import type { Pool } from './pool.ts';
import { execute, transaction, type Queryable } from './query.ts';
import { keepRetention, type RetentionOptions } from './retention.ts';

export interface ErasedPerson {
  /** Record that says so in the log; it does not name the person. */
  readonly recordId: string;
  readonly erased: number;
}

/** What is left of an erased record; the salt goes with what it protected. */
const ERASE = `UPDATE audit_log SET actor = NULL, trace_id = NULL, detail = NULL, salt = NULL,
  subject = CASE WHEN subject ~ '^(client|user|person|session):' THEN NULL ELSE subject END,
  erased_at = clock_timestamp(), erased_by = $1
  WHERE erased_by IS NULL AND EXISTS (SELECT FROM audit_leaves WHERE record = audit_log.id)`;

/** Rows of one transaction of a retention. */
const BATCH = 10_000;
const DAY_SECONDS = 86_400;

/** Takes personal data out of the audit log; leaves and proofs stay what they are. Every method throws DatabaseError. */
export class AuditErasure {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * Erases what the records hold about one person or client: those it acted in, and those about itself. The record of the
   * erasure is written in the same transaction.
   * @param by who asked for it
   */
  erasePerson(
    person: string,
    { by, traceId }: { readonly by: string; readonly traceId?: string },
  ): Promise<ErasedPerson> {
    return transaction(this.#pool, async (client) => {
      const recordId = randomUUID();
      const subjects = ['client', 'user', 'person', 'session'].map((kind) => `${kind}:${person}`);
      const erased = await execute(client, `${ERASE} AND (actor = $2 OR subject = ANY($3))`, [
        recordId,
        person,
        subjects,
      ]);
      await record(client, { recordId, actor: by, action: 'audit:erase', traceId, erased });
      return { recordId, erased };
    });
  }

  /** Erases the personal data of records older than so many days. @returns how many */
  eraseOlder(days: number): Promise<number> {
    return transaction(this.#pool, async (client) => {
      const recordId = randomUUID();
      const old = `audit_log.id IN (SELECT id FROM audit_log WHERE erased_by IS NULL
        AND at < clock_timestamp() - make_interval(secs => $2) LIMIT ${BATCH})`;
      const erased = await execute(client, `${ERASE} AND ${old}`, [recordId, days * DAY_SECONDS]);
      if (erased > 0) await record(client, { recordId, actor: 'sequencer', action: 'audit:retention', erased });
      return erased;
    });
  }

  /** {@link keepRetention} of the records; 0 days keep everything. */
  async keepRetention({ days, ...options }: RetentionOptions & { readonly days: number }): Promise<void> {
    if (days === 0) return;
    await keepRetention(async () => {
      while ((await this.eraseOlder(days)) === BATCH && !options.signal.aborted);
    }, options);
  }
}

async function record(
  client: Queryable,
  entry: {
    readonly recordId: string;
    readonly actor: string;
    readonly action: 'audit:erase' | 'audit:retention';
    readonly traceId?: string;
    readonly erased: number;
  },
): Promise<void> {
  await execute(
    client,
    `INSERT INTO audit_log (record_id, actor, action, subject, decision, trace_id, detail)
     VALUES ($1, $2, $3, 'audit:personal-data', 'allow', $4, $5)`,
    [entry.recordId, entry.actor, entry.action, entry.traceId, JSON.stringify({ records: String(entry.erased) })],
  );
}

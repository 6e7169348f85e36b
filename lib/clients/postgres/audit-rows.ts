import { z } from 'zod';
import type { PublicPart } from '../../audit/index.ts';
import { iso } from './query.ts';

/** A leaf joined with its record. The personal half is absent once it is erased. */
export const AuditRow = z.object({
  index: z.number(),
  /** UUID. */
  recordId: z.string(),
  at: z.string(),
  actor: z.string().optional(),
  action: z.string(),
  subject: z.string().optional(),
  decision: z.string(),
  traceId: z.string().optional(),
  detail: z.record(z.string(), z.string()).optional(),
  /** Hexadecimal digits. */
  salt: z.string().optional(),
  /** Hexadecimal digits. */
  commitment: z.string(),
  erasedBy: z.string().optional(),
});
export type AuditRow = z.infer<typeof AuditRow>;

export const RECORD_COLUMNS = `record_id::text AS "recordId", ${iso('audit_log.at')} AS at, actor, action, subject,
  decision, trace_id AS "traceId", detail, encode(salt, 'hex') AS salt, erased_by::text AS "erasedBy"`;

export const LEAF_COLUMNS = `${RECORD_COLUMNS}, encode(commitment, 'hex') AS commitment`;

export function leafOf({ recordId, at, action, decision, subject }: AuditRow): PublicPart {
  return { id: recordId, at, action, decision, subject };
}

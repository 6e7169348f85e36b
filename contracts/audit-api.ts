import { z } from 'zod';

const text = z.string().min(1).max(512);
/** Number of leaves, or the place of one. */
const count = z.coerce.number<string | number>().int().min(0).max(Number.MAX_SAFE_INTEGER);
/** SHA-256 in base64, as checkpoints have it. */
const hash = z.base64();

export const AuditEntriesQuery = z.strictObject({
  actor: text.optional(),
  action: text.optional(),
  subject: text.optional(),
  /** Leaves from this one on, in the order of the tree; the other filters are for the newest first. */
  fromIndex: count.optional(),
  limit: z.coerce.number<string | number>().int().min(1).max(1000).default(50),
  pageToken: text.optional(),
});

export const AuditRecordView = z.object({
  /** UUID. */
  recordId: z.string(),
  /** Its leaf; absent in the moment before the sequencer takes it in. */
  index: z.int().optional(),
  at: z.string(),
  action: z.string(),
  decision: z.string(),
  subject: z.string().optional(),
  actor: z.string().optional(),
  traceId: z.string().optional(),
  detail: z.record(z.string(), z.string()).optional(),
  /** Hexadecimal digits: with it, actor, detail and the like can be compared with `commitment`. */
  salt: z.string().optional(),
  /** Hexadecimal digits: what the leaf holds instead of personal data. */
  commitment: z.string().optional(),
  /** Record of the erasure that took the personal data. */
  erasedBy: z.string().optional(),
});
export type AuditRecordView = z.infer<typeof AuditRecordView>;

export const AuditRecordList = z.object({ entries: z.array(AuditRecordView), nextPageToken: z.string().optional() });
export type AuditRecordList = z.infer<typeof AuditRecordList>;

export const InclusionQuery = z.strictObject({ index: count, size: count.optional() });
export const InclusionProof = z.object({
  index: z.int(),
  size: z.int(),
  leafHash: hash,
  root: hash,
  /** Lowest first (RFC 9162 section 2.1.3.1). */
  proof: z.array(hash),
});
export type InclusionProof = z.infer<typeof InclusionProof>;

export const ConsistencyQuery = z.strictObject({ from: count, to: count.optional() });
export const ConsistencyProof = z.object({
  from: z.int(),
  to: z.int(),
  fromRoot: hash,
  toRoot: hash,
  proof: z.array(hash),
});
export type ConsistencyProof = z.infer<typeof ConsistencyProof>;

/** Verifier keys (C2SP signed-note), newest last. */
export const AuditKeys = z.object({ origin: z.string(), keys: z.array(z.string()) });
export type AuditKeys = z.infer<typeof AuditKeys>;

export const AuditCheckpoints = z.object({ checkpoints: z.array(z.string()) });

export const ErasureRequest = z.strictObject({
  /** Subject of a token, or id of a client. */
  subject: z.string().min(1).max(256),
});
export const ErasureResult = z.object({ recordId: z.string(), erased: z.int() });
export type ErasureResult = z.infer<typeof ErasureResult>;

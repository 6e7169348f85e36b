import { randomUUID } from 'node:crypto';
import { AuditError } from '../errors.ts';

/** A record on its way to the log. */
export interface SpooledRecord {
  /** UUID: what is sent twice is written once. */
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly decision: string;
  readonly traceId?: string;
  readonly detail: Readonly<Record<string, string>>;
}

/** Bytes of the longest record; far more than any record of the platform. */
const LONGEST = 60_000;

/** UUID version 7 (RFC 9562 section 5.7): those of one time lie beside each other in an index. */
export function newRecordId(now = Date.now()): string {
  const time = now.toString(16).padStart(12, '0');
  // Variant and random bits are those of a version 4, which Node makes ahead.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

/**
 * A record as JSON. Text that PostgreSQL cannot hold (NUL, half of a surrogate pair) is replaced: a record that is refused
 * there would hold up all that follow.
 * @throws AuditError AUDIT_UNAVAILABLE for a record that is too long
 */
export function encodeRecord(record: SpooledRecord): string {
  const json = jsonOf(record);
  // A character of a string has three bytes in UTF-8 at most.
  if (json.length * 3 <= LONGEST || Buffer.byteLength(json) <= LONGEST) return json;
  throw new AuditError('AUDIT_UNAVAILABLE', 'The audit record of this request is too long.');
}

/** Only text with an escape of its own can hold what must be replaced: that is seldom, and looking at each string slow. */
function jsonOf(record: SpooledRecord): string {
  const json = JSON.stringify(record);
  if (!json.includes('\\u')) return json;
  return JSON.stringify(record, (_, value: unknown) => (typeof value === 'string' ? storable(value) : value));
}

function storable(text: string): string {
  return text.isWellFormed() && !text.includes('\0') ? text : text.toWellFormed().replaceAll('\0', '\uFFFD');
}

import canonicalize from 'canonicalize';
import { AuditError } from '../errors.ts';
import { sha256 } from '../tree/hash.ts';

/** What anybody who may see the log keeps seeing of a record; its leaf holds exactly this and the commitment. */
export interface PublicPart {
  /** UUID. */
  readonly id: string;
  /** ISO 8601, UTC, microseconds. */
  readonly at: string;
  readonly action: string;
  readonly decision: string;
  /** Absent where it names a person or a client: it is then part of the personal half. */
  readonly subject?: string;
}

/** What can be erased. */
export interface PersonalPart {
  readonly actor: string;
  readonly detail: Readonly<Record<string, string>>;
  readonly subject?: string;
  readonly traceId?: string;
}

export interface AuditRecord extends Omit<PublicPart, 'subject'>, Omit<PersonalPart, 'subject'> {
  readonly subject: string;
}

/** Version of the form of leaves. */
const FORM = 1;
/** Subjects that name somebody. */
const PERSONAL_SUBJECT = /^(?:client|user|person|session):/;

export function isPersonalSubject(subject: string): boolean {
  return PERSONAL_SUBJECT.test(subject);
}

/**
 * SHA-256 over the record's random salt, of 32 bytes, and the personal part in canonical JSON (RFC 8785). Whoever has the
 * salt can check the part; once the salt is gone nobody can, not even by trying every possible content.
 */
export function commit(record: AuditRecord, salt: Uint8Array): Buffer {
  const { actor, detail, subject, traceId } = record;
  const personal: PersonalPart = { actor, detail, traceId, subject: isPersonalSubject(subject) ? subject : undefined };
  return sha256(Buffer.concat([salt, Buffer.from(canonical(personal))]));
}

/** The bytes of a leaf: the public part with the commitment, in canonical JSON (RFC 8785). */
export function encodeLeaf(part: PublicPart, commitment: Uint8Array): Buffer {
  const { id, at, action, decision, subject } = part;
  const shown = subject === undefined || isPersonalSubject(subject) ? undefined : subject;
  const personal = Buffer.from(commitment).toString('hex');
  return Buffer.from(canonical({ id, at, action, decision, personal, subject: shown, v: FORM }));
}

function canonical(value: object): string {
  const text = canonicalize(value);
  if (text === undefined) throw new AuditError('AUDIT_UNAVAILABLE', 'A record has no canonical form.');
  return text;
}

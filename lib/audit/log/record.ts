import { sha256Of } from '../tree/hash.ts';
import { canonical } from './canonical.ts';

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
  const personal: PersonalPart = { actor, detail, subject: isPersonalSubject(subject) ? subject : undefined, traceId };
  return sha256Of(salt, canonical(personal));
}

/** The bytes of a leaf: the public part with the commitment, in canonical JSON (RFC 8785). */
export function encodeLeaf(part: PublicPart, commitment: Uint8Array): Buffer {
  return Buffer.from(leafText(part, Buffer.from(commitment).toString('hex')));
}

/** The same as text. @param personal the commitment, as hexadecimal digits */
export function leafText({ id, at, action, decision, subject }: PublicPart, personal: string): string {
  const shown = subject === undefined || isPersonalSubject(subject) ? undefined : subject;
  return canonical({ action, at, decision, id, personal, subject: shown, v: FORM });
}

import canonicalize from 'canonicalize';
import { AuditError } from '../errors.ts';

/** Names that an object does not keep in the order in which they are given to it, or does not take. */
const UNRULY = /^(?:\d|__proto__$)/;

/**
 * Canonical JSON (RFC 8785) of an object of texts, numbers and such objects. `JSON.stringify` writes both as the RFC asks
 * for, so that putting the names in order is all there is to do; where an object cannot hold that order, or a text has no
 * canonical form, the library takes over, which is several times slower.
 * @throws AuditError AUDIT_UNAVAILABLE, Error: there is no such form
 */
export function canonical(value: object): string {
  const sorted = inOrder(value);
  const text = sorted && JSON.stringify(sorted);
  // Half of a surrogate pair is written as an escape.
  const made = text?.includes('\\ud') === false ? text : canonicalize(value);
  if (made === undefined) throw new AuditError('AUDIT_UNAVAILABLE', 'A record has no canonical form.');
  return made;
}

/**
 * The same with its names in the order of UTF-16 code units (RFC 8785 section 3.2.3), a copy where they are in another;
 * undefined where there can be none.
 */
function inOrder(value: object): object | undefined {
  const names = Object.keys(value);
  if (isFlatInOrder(value as Record<string, unknown>, names)) return value;
  const copy: Record<string, unknown> = {};
  for (const name of names.sort()) {
    if (UNRULY.test(name)) return undefined;
    const member = (value as Record<string, unknown>)[name];
    const placed = typeof member === 'object' && member !== null ? inOrder(member) : member;
    if (placed === undefined && member !== undefined) return undefined;
    copy[name] = placed;
  }
  return copy;
}

/** Most objects are made that way, and need no copy. */
function isFlatInOrder(value: Readonly<Record<string, unknown>>, names: readonly string[]): boolean {
  let last = '';
  for (const name of names) {
    if (name < last || typeof value[name] === 'object') return false;
    last = name;
  }
  return true;
}

import { LIMITS } from './limits.ts';
import type { Problems } from './problems.ts';
import { quote } from './problems.ts';

/** Names that are something else to the language that reads the table. */
const RESERVED = new Set(['__proto__', 'constructor', 'prototype']);
const CONTROL = /\p{Cc}/u;

/**
 * Checks the names of the columns, all of them.
 * @throws DatasetError `DATASET_TABLE_INVALID`
 */
export function checkHeader(names: readonly string[], line: number, problems: Problems): void {
  if (names.length > LIMITS.columns) {
    throw problems.fail({ line, message: `${names.length} columns; at most ${LIMITS.columns} are taken` });
  }
  const first = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    const message = wrong(name, index, first.get(name));
    if (message !== undefined) problems.add({ line, ...(name === '' ? {} : { column: name }), message });
    if (!first.has(name)) first.set(name, index);
  }
  problems.throwIfAny();
}

function wrong(name: string, index: number, earlier: number | undefined): string | undefined {
  const place = `column ${index + 1}`;
  if (name === '') return `${place} has no name`;
  if (earlier !== undefined) return `${place} has the name of column ${earlier + 1}; each needs its own`;
  if (RESERVED.has(name)) return `${quote(name)} cannot be the name of a column; rename it`;
  if (name.length > LIMITS.name) return `the name has ${name.length} characters; at most ${LIMITS.name} are taken`;
  return CONTROL.test(name) ? 'the name holds a control character' : undefined;
}

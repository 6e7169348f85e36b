import { usageError } from '../errors.ts';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = Record<string, JsonValue>;

export interface Assignment {
  readonly path: readonly string[];
  readonly value: JsonValue;
}

/** Names through which an assignment would reach the prototype instead of the object. */
const FORBIDDEN = new Set(['__proto__', 'prototype', 'constructor']);

/**
 * Reads `training.batchSize=64`: a dotted path into a request, and a JSON value; what is not JSON is a string.
 * @throws CliError `usage` for a missing "=", an empty or a forbidden name.
 */
export function parseAssignment(text: string): Assignment {
  const equals = text.indexOf('=');
  if (equals < 1) throw usageError(`--set ${text}: expected KEY=VALUE`, 'For example --set training.batchSize=64.');
  const path = text.slice(0, equals).split('.');
  const wrong = path.find((name) => name === '' || FORBIDDEN.has(name));
  if (wrong !== undefined) throw usageError(`--set ${text}: "${wrong}" is no name of a setting`);
  return { path, value: parseValue(text.slice(equals + 1)) };
}

function parseValue(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

/** A copy of `target` with the assignments made in order; objects on the way are created. */
export function assign(target: JsonObject, assignments: readonly Assignment[]): JsonObject {
  const copy = structuredClone(target);
  for (const { path, value } of assignments) setPath(copy, path, value);
  return copy;
}

function setPath(target: JsonObject, path: readonly string[], value: JsonValue): void {
  const last = path.at(-1);
  if (last === undefined) return;
  let node: JsonObject = target;
  for (const name of path.slice(0, -1)) {
    const next = node[name] ?? {};
    if (typeof next !== 'object') {
      throw usageError(`--set ${path.join('.')}: "${name}" is a value, not a group of settings`);
    }
    node[name] = next;
    // An array's elements are reached by their index, which is a property name like any other.
    node = next as JsonObject;
  }
  node[last] = value;
}

import { OnnxError } from '../errors.ts';
import { SCAN_LIMITS } from './limits.ts';

/** @param field name of the node, tensor or value at fault */
export function refused(field: string, why: string): OnnxError {
  return new OnnxError('MODEL_GRAPH_REFUSED', `${printable(field)}: ${why}`, { field: printable(field) });
}

export function malformed(field: string, why: string): OnnxError {
  return new OnnxError('MODEL_GRAPH_MALFORMED', `${printable(field)}: ${why}`, { field: printable(field) });
}

export function tooLarge(field: string, why: string): OnnxError {
  return new OnnxError('MODEL_GRAPH_TOO_LARGE', `${printable(field)}: ${why}`, { field: printable(field) });
}

/** Text of a stranger's file, as it may stand in a log or a terminal. */
export function printable(text: string): string {
  const visible = text.replaceAll(/\p{C}/gu, '·');
  return visible.length > 80 ? `${visible.slice(0, 80)}…` : visible;
}

/** @throws OnnxError MODEL_GRAPH_TOO_LARGE */
export function checkName(name: string, where: string): void {
  if (name.length > SCAN_LIMITS.name) throw tooLarge(where, `a name of ${name.length} characters`);
}

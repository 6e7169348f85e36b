import { isUtf8 } from 'node:buffer';
import { ApiError } from '../errors.ts';
import { BACKSLASH, CLOSE_ARRAY, CLOSE_OBJECT, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from './ascii.ts';

/** Deeper than anything that a route takes. */
const MAX_DEPTH = 64;
/** As deep as a body of so many bytes can be is parsed in milliseconds. */
const SHALLOW_BYTES = 16 * 1024;

/**
 * Checks bytes that are about to be parsed as JSON: they are UTF-8 (RFC 8259 section 8.1; a decoder would put replacement
 * characters in the place of anything else), and not nested so deeply that the parser, whose time for each level is a
 * thousand times that of a byte, would hold the process.
 * @throws {ApiError} `REQUEST_INVALID`
 */
export function checkJsonText(bytes: Buffer): void {
  if (!isUtf8(bytes)) throw new ApiError('REQUEST_INVALID', 'The body is not valid UTF-8.', { field: 'body' });
  if (bytes.length <= SHALLOW_BYTES || !isDeep(bytes)) return;
  throw new ApiError('REQUEST_INVALID', `The body is nested more than ${String(MAX_DEPTH)} levels deep.`, {
    field: 'body',
  });
}

function isDeep(bytes: Buffer): boolean {
  let depth = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      for (at += 1; at < bytes.length && bytes[at] !== QUOTE; at += 1) if (bytes[at] === BACKSLASH) at += 1;
    } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      depth -= 1;
    }
  }
  return false;
}

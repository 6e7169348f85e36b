import { BACKSLASH, LOWER_E, MINUS, PLUS, POINT, QUOTE, UPPER_E, isDigit } from '../../http/ascii.ts';

/** Integers of fewer digits are exact as doubles. */
const DIGITS = 16;

/** What a number may hold besides digits: `+-.Ee`. */
const isNumberPart = (code: number): boolean =>
  isDigit(code) || code === PLUS || code === MINUS || code === POINT || code === UPPER_E || code === LOWER_E;

/**
 * Parses JSON with every integer of 16 digits or more as a string of its digits, because a double cannot hold it. One
 * scan over the text: a reviver with `context.source` would be called for every element of every tensor.
 * @param text valid JSON
 */
export function parseWithLongIntegers(text: string): unknown {
  return JSON.parse(quoteLongIntegers(text));
}

function quoteLongIntegers(text: string): string {
  const parts: string[] = [];
  let kept = 0;
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (code === MINUS || isDigit(code)) {
      const start = at;
      let digitsOnly = true;
      for (at += 1; at < text.length; at += 1) {
        const part = text.charCodeAt(at);
        if (!isNumberPart(part)) break;
        digitsOnly &&= isDigit(part);
      }
      const digits = at - start - (code === MINUS ? 1 : 0);
      if (digitsOnly && digits >= DIGITS) {
        parts.push(text.slice(kept, start), '"', text.slice(start, at), '"');
        kept = at;
      }
    } else {
      at += 1;
    }
  }
  parts.push(text.slice(kept));
  return parts.join('');
}

/** The position after the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) {
    at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  }
  return at + 1;
}

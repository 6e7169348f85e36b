import { BACKSLASH, CLOSE_ARRAY, COLON, COMMA, OPEN_ARRAY } from '../../http/ascii.ts';
import { NumberReader, skipSpace } from './number-reader.ts';

/** Numbers that were taken out of a JSON text: row-major, with the lengths of the arrays that they were nested in. */
export interface LiftedNumbers {
  readonly numbers: Float64Array;
  readonly dims: readonly number[];
}

export interface Lifted {
  /** The text with `[0]`, `[1]`, … in the place of the arrays: the places in `arrays`. ASCII without any escape. */
  readonly envelope: string;
  readonly arrays: readonly LiftedNumbers[];
}

const KEY = Buffer.from('"data"');

/** More axes than a tensor of the protocol has. */
const MAX_DEPTH = 8;

/**
 * Takes every array of numbers that is the value of a key `"data"` out of a JSON text, in one pass over its bytes and
 * without a value for each element: what is left is short, and the same for all requests of one form. The text is valid
 * JSON if and only if the envelope is.
 * @returns undefined where a general parser has to read it: other elements than numbers, ragged nesting, numbers of
 *   more than 15 digits, escapes, or bytes beyond ASCII
 */
export function liftNumbers(json: Buffer): Lifted | undefined {
  const arrays: LiftedNumbers[] = [];
  let envelope = '';
  let kept = 0;
  for (let key = json.indexOf(KEY); key >= 0; key = json.indexOf(KEY, kept)) {
    // A quote that is not escaped opens a string here: nothing but a key can be followed by a colon.
    if (json[key - 1] === BACKSLASH) return undefined;
    const colon = skipSpace(json, key + KEY.length);
    if (json[colon] !== COLON) return undefined;
    const open = skipSpace(json, colon + 1);
    if (json[open] !== OPEN_ARRAY) return undefined;
    const array = readArray(json, open);
    if (array === undefined) return undefined;
    envelope += `${json.toString('latin1', kept, open)}[${String(arrays.length)}]`;
    arrays.push(array);
    kept = array.end;
  }
  envelope += json.toString('latin1', kept);
  return { envelope, arrays };
}

interface ReadArray extends LiftedNumbers {
  /** Position after it. */
  readonly end: number;
}

function readArray(json: Buffer, open: number): ReadArray | undefined {
  const row = new NumberReader(json, open);
  /** Entries so far of each array that is open, and those of the first one that was closed at each depth. */
  const entries: number[] = [];
  const dims: number[] = [];
  let depth = 0;
  let deepest = 0;
  for (;;) {
    while (row.skips(OPEN_ARRAY)) {
      if (depth === MAX_DEPTH || (deepest > 0 && depth === deepest)) return undefined;
      entries[depth] = 0;
      depth += 1;
    }
    if (deepest === 0) deepest = depth;
    else if (depth !== deepest) return undefined;
    const length = row.read();
    if (length === undefined) return undefined;
    entries[depth - 1] = length;
    do {
      if (!row.skips(CLOSE_ARRAY)) return undefined;
      depth -= 1;
      const closed = entries[depth] ?? 0;
      if ((dims[depth] ??= closed) !== closed) return undefined;
      if (depth === 0) return { numbers: row.numbers(), dims, end: row.at };
      entries[depth - 1] = (entries[depth - 1] ?? 0) + 1;
    } while (!row.skips(COMMA));
  }
}

import { roomFor } from './room.ts';
import { COMMA, LOWER_E, MINUS, PLUS, POINT, UPPER_E, ZERO, isDigit, isSpace } from '../../http/ascii.ts';

/** Mantissas and powers of ten up to here are exact as doubles, and so one operation on them rounds right (Clinger 1990). */
const EXACT_DIGITS = 15;
const MOST = 22;
const EXACT_POWERS = Float64Array.from({ length: MOST + 1 }, (_, power) => Number(`1e${String(power)}`));
const CAPACITY = 4096;
/** An integer of so many digits is one of 32 bits. */
const SHORT = 9;

/** What is read lies here first: to make room for it anew would cost more than to read it. */
const scratch = new Float64Array(CAPACITY);

/** Reads rows of numbers, one after the other, into one array. */
export class NumberReader {
  at: number;
  readonly #json: Buffer;
  #out: Float64Array<ArrayBuffer>;
  #count = 0;

  constructor(json: Buffer, at: number) {
    this.#json = json;
    this.at = at;
    this.#out = scratch;
  }

  numbers(): Float64Array {
    const numbers = roomFor(Float64Array, this.#count);
    numbers.set(this.#out.subarray(0, this.#count));
    return numbers;
  }

  /** Goes on past a byte and the white space before it, where it comes next. */
  skips(byte: number): boolean {
    const at = skipSpace(this.#json, this.at);
    const found = this.#json[at] === byte;
    this.at = found ? at + 1 : at;
    return found;
  }

  /** Reads numbers and the commas between them. @returns how many; undefined where something else comes */
  read(): number | undefined {
    const json = this.#json;
    const start = this.#count;
    for (;;) {
      this.#readShort();
      if (!this.#readOne()) return undefined;
      let byte = json[this.at] ?? 0;
      if (isSpace(byte)) byte = json[(this.at = skipSpace(json, this.at))] ?? 0;
      if (byte !== COMMA) return this.#count - start;
      this.at += 1;
    }
  }

  /** Numbers of few digits, without a sign or an exponent, that a comma follows: the usual case, as fast as can be. */
  #readShort(): void {
    const json = this.#json;
    let out = this.#out;
    let count = this.#count;
    let at = this.at;
    for (;;) {
      let next = at;
      let value = (json[next] as number) ^ ZERO;
      if (value > 9) break;
      let digit = (json[(next += 1)] as number) ^ ZERO;
      if (digit <= 9 && value === 0) break;
      const last = at + SHORT;
      while (digit <= 9 && next < last) {
        value = (value * 10 + digit) | 0;
        digit = (json[(next += 1)] as number) ^ ZERO;
      }
      let places = 0;
      if (digit === (POINT ^ ZERO)) {
        const point = next;
        digit = (json[(next += 1)] as number) ^ ZERO;
        while (digit <= 9 && next <= last) {
          value = (value * 10 + digit) | 0;
          digit = (json[(next += 1)] as number) ^ ZERO;
        }
        places = next - point - 1;
        if (places === 0) break;
      }
      if (digit !== (COMMA ^ ZERO)) break;
      if (count === out.length) out = this.#out = grown(out, json.length);
      out[count] = places === 0 ? value : value / (EXACT_POWERS[places] as number);
      count += 1;
      at = next + 1;
    }
    this.#count = count;
    this.at = at;
  }

  /** Any number; false where there is none that can be read here. */
  #readOne(): boolean {
    const json = this.#json;
    let at = skipSpace(json, this.at);
    let byte = json[at] ?? 0;
    const negative = byte === MINUS;
    if (negative) byte = json[(at += 1)] as number;
    if (!isDigit(byte)) return false;
    let mantissa = byte - ZERO;
    let digits = 1;
    let scale = 0;
    byte = json[(at += 1)] as number;
    if (mantissa !== 0) {
      while (isDigit(byte)) {
        mantissa = mantissa * 10 + (byte - ZERO);
        digits += 1;
        byte = json[(at += 1)] as number;
      }
    }
    if (byte === POINT) {
      const point = at;
      byte = json[(at += 1)] as number;
      while (isDigit(byte)) {
        mantissa = mantissa * 10 + (byte - ZERO);
        if (mantissa !== 0) digits += 1;
        byte = json[(at += 1)] as number;
      }
      scale = point + 1 - at;
      if (scale === 0) return false;
    }
    if (byte === LOWER_E || byte === UPPER_E) {
      byte = json[(at += 1)] as number;
      const down = byte === MINUS;
      if (down || byte === PLUS) byte = json[(at += 1)] as number;
      const first = at;
      let exponent = 0;
      while (isDigit(byte) && exponent < 1000) {
        exponent = exponent * 10 + (byte - ZERO);
        byte = json[(at += 1)] as number;
      }
      if (at === first) return false;
      scale += down ? -exponent : exponent;
    }
    if (digits > EXACT_DIGITS || scale > MOST || scale < -MOST) return false;
    if (scale < 0) mantissa /= EXACT_POWERS[-scale] as number;
    else if (scale > 0) mantissa *= EXACT_POWERS[scale] as number;
    if (this.#count === this.#out.length) this.#out = grown(this.#out, json.length);
    this.#out[this.#count] = negative ? -mantissa : mantissa;
    this.#count += 1;
    this.at = at;
    return true;
  }
}

/** The position of the next byte that is no white space. */
export function skipSpace(json: Buffer, start: number): number {
  let at = start;
  while (isSpace(json[at])) at += 1;
  return at;
}

/** Twice as long; never longer than elements fit into `bytes` of text. */
function grown(numbers: Float64Array, bytes: number): Float64Array<ArrayBuffer> {
  const longer = new Float64Array(Math.min(numbers.length * 2, bytes));
  longer.set(numbers);
  return longer;
}

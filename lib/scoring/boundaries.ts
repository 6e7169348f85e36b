import type { ScoreFormat } from '../../contracts/batch-score.ts';

/** Where a record of a file is: bytes from its start, and the line that it begins in, from 1. */
export interface RecordPlace {
  readonly start: number;
  /** Behind its line ending. */
  readonly end: number;
  readonly line: number;
  /** Holds nothing but its line ending, or white space in NDJSON: no record. */
  readonly empty: boolean;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

type State = 'start' | 'plain' | 'quoted' | 'closing';

/**
 * Finds where records end, byte by byte, in constant memory: UTF-8 keeps quote, comma and line feed to themselves. In
 * CSV (RFC 4180) a line feed inside of a quoted cell ends nothing; a quote opens a cell only where it is the first byte
 * of it, so that a stray quote spoils its own record alone.
 */
export class RecordBoundaries {
  readonly #csv: boolean;
  #state: State = 'start';
  #at = 0;
  #start = 0;
  #line = 1;
  #startLine = 1;
  #empty = true;

  constructor(format: ScoreFormat) {
    this.#csv = format === 'csv';
  }

  /** Bytes of the record that has begun. */
  get open(): { readonly bytes: number; readonly line: number } {
    return { bytes: this.#at - this.#start, line: this.#startLine };
  }

  /** Of the file, that the next byte is in. */
  get line(): number {
    return this.#line;
  }

  /** Inside of quotes that have not closed. */
  get quoted(): boolean {
    return this.#state === 'quoted';
  }

  /** Goes on with the next bytes of the file. */
  push(piece: Uint8Array, onRecord: (place: RecordPlace) => void): void {
    for (const byte of piece) {
      this.#at += 1;
      if (byte === LF) {
        this.#line += 1;
        if (this.#state === 'quoted') continue;
        this.#finish(onRecord);
      } else this.#take(byte);
    }
  }

  /** The last record may have no line ending. */
  end(onRecord: (place: RecordPlace) => void): void {
    if (this.#at > this.#start) this.#finish(onRecord);
  }

  #take(byte: number): void {
    if (!this.#csv) {
      if (byte > 0x20) this.#empty = false;
      return;
    }
    // The mark that says UTF-8 is no part of the first cell.
    if (this.#state === 'start' && BYTE_ORDER_MARK[this.#at - 1] === byte) return;
    if (byte !== CR) this.#empty = false;
    switch (this.#state) {
      case 'start':
        this.#state = byte === QUOTE ? 'quoted' : byte === COMMA ? 'start' : 'plain';
        break;
      case 'plain':
        if (byte === COMMA) this.#state = 'start';
        break;
      case 'quoted':
        if (byte === QUOTE) this.#state = 'closing';
        break;
      case 'closing':
        // Two quotes are one of the cell; anything but a comma spoils the record, which ends at its line all the same.
        this.#state = byte === QUOTE ? 'quoted' : byte === COMMA ? 'start' : 'plain';
        break;
    }
  }

  #finish(onRecord: (place: RecordPlace) => void): void {
    onRecord({ start: this.#start, end: this.#at, line: this.#startLine, empty: this.#empty });
    this.#start = this.#at;
    this.#startLine = this.#line;
    this.#state = 'start';
    this.#empty = true;
  }
}

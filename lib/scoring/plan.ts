import { createHash, type Hash } from 'node:crypto';
import { MAX_SHARDS, type ScoreFormat, type ScorePlan, type ScoreShard } from '../../contracts/batch-score.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import type { TableFacts } from '../../contracts/registry.ts';
import { RecordBoundaries, type RecordPlace } from './boundaries.ts';
import { ScoringError } from './errors.ts';
import { headerOf } from './header.ts';

export interface PlanOptions {
  readonly file: ArtifactRef;
  readonly format: ScoreFormat;
  /** The bytes of `file`, verified by whoever reads them. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** What the model takes. */
  readonly facts: Pick<TableFacts, 'columns'>;
  /** Most records of a shard; default 100,000. */
  readonly records?: number;
  /** Bytes after which a shard ends with the next record; default 4 MiB. */
  readonly shardBytes?: number;
  /** @param bytes that were read so far */
  readonly onProgress?: (bytes: number) => void;
}

const RECORDS = 100_000;
const SHARD_BYTES = 4 * 2 ** 20;
/** Bytes of one record. */
const MAX_RECORD = 2 ** 20;

/**
 * Reads a file once, in constant memory, and cuts it into shards of whole records, each with a digest of its own.
 * @throws ScoringError `SCORE_FILE_INVALID` naming the line, or the column of the header, that is wrong; what `bytes` throws
 */
export async function planFile(o: PlanOptions): Promise<ScorePlan> {
  const cutter = new Cutter(o);
  let read = 0;
  for await (const piece of o.bytes) {
    cutter.push(piece);
    read += piece.byteLength;
    o.onProgress?.(read);
  }
  return { version: 1, file: o.file, format: o.format, ...cutter.end() };
}

class Cutter {
  readonly #o: PlanOptions;
  readonly #boundaries: RecordBoundaries;
  readonly #shards: ScoreShard[] = [];
  readonly #mostRecords: number;
  readonly #mostBytes: number;
  #columns: string[] | undefined;
  #headerBytes: Uint8Array[] = [];
  #hash: Hash = createHash('sha256');
  /** Bytes that were looked at, and where the present shard begins. */
  #at = 0;
  #offset = 0;
  #line = 1;
  #record = 0;
  #records = 0;

  constructor(o: PlanOptions) {
    this.#o = o;
    this.#boundaries = new RecordBoundaries(o.format);
    this.#mostRecords = o.records ?? RECORDS;
    this.#mostBytes = o.shardBytes ?? SHARD_BYTES;
    if (o.format === 'ndjson') this.#columns = [];
  }

  push(piece: Uint8Array): void {
    const begin = this.#at;
    // Of this piece, up to where it was given to a shard.
    let given = begin;
    const take = (end: number): void => {
      this.#feed(piece.subarray(given - begin, end - begin));
      given = end;
    };
    this.#boundaries.push(piece, (place) => this.#meet(place, take));
    take(begin + piece.byteLength);
    this.#at = begin + piece.byteLength;
    const { bytes, line } = this.#boundaries.open;
    if (bytes > MAX_RECORD) throw tooLong(line, this.#boundaries.quoted);
  }

  end(): Pick<ScorePlan, 'columns' | 'records' | 'shards'> {
    if (this.#boundaries.quoted) throw tooLong(this.#boundaries.open.line, true);
    this.#boundaries.end((place) => this.#meet(place, () => undefined));
    if (this.#records > 0) this.#cut(this.#at, this.#line);
    const records = this.#record;
    if (this.#columns === undefined || records === 0) throw invalid('the file holds no record', 'line 1');
    return { columns: this.#columns, records, shards: this.#shards };
  }

  #feed(bytes: Uint8Array): void {
    if (this.#columns === undefined) this.#headerBytes.push(bytes.slice());
    else this.#hash.update(bytes);
  }

  #meet({ start, end, line, empty }: RecordPlace, take: (end: number) => void): void {
    if (end - start > MAX_RECORD) throw tooLong(line, false);
    if (empty) return;
    if (this.#columns === undefined) {
      take(end);
      this.#columns = headerOf(Buffer.concat(this.#headerBytes), line, this.#o.facts);
      this.#headerBytes = [];
      this.#offset = end;
      this.#line = this.#boundaries.line;
      return;
    }
    this.#records += 1;
    if (this.#records < this.#mostRecords && end - this.#offset < this.#mostBytes) return;
    take(end);
    this.#cut(end, this.#boundaries.line);
  }

  #cut(end: number, line: number): void {
    if (this.#shards.length === MAX_SHARDS) {
      throw invalid(`the file needs more than ${MAX_SHARDS} shards of ${this.#mostRecords} records; split it`, 'file');
    }
    const part = { offset: this.#offset, bytes: end - this.#offset, sha256: this.#hash.digest('hex') };
    this.#shards.push({ ...part, record: this.#record, line: this.#line, records: this.#records });
    this.#hash = createHash('sha256');
    this.#offset = end;
    this.#line = line;
    this.#record += this.#records;
    this.#records = 0;
  }
}

function tooLong(line: number, quoted: boolean): ScoringError {
  const why = quoted ? 'has a quote that never closes, or is' : 'is';
  return invalid(`the record that begins in line ${line} ${why} longer than ${MAX_RECORD} bytes`, `line ${line}`);
}

function invalid(problem: string, field: string): ScoringError {
  return new ScoringError('SCORE_FILE_INVALID', `The file cannot be scored: ${problem}.`, { field });
}

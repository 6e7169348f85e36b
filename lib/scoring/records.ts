import { TextDecoder } from 'node:util';
import { parse } from 'csv-parse/sync';
import type { ScoreFormat } from '../../contracts/batch-score.ts';
import { FeatureRecord } from '../../contracts/predict.ts';
import { RecordBoundaries, type RecordPlace } from './boundaries.ts';
import { numberOrText } from './features.ts';

export interface ShardText {
  readonly bytes: Uint8Array;
  readonly format: ScoreFormat;
  /** Names of the columns of CSV. */
  readonly columns: readonly string[];
  /** Features of the model, and whether they are numbers; other columns are left out. */
  readonly features: ReadonlyMap<string, boolean>;
  /** Line of the file that the first byte is in. */
  readonly line: number;
}

/** What a record holds, or why it is none. */
type Read = { readonly record: FeatureRecord } | { readonly problem: string };

/** A record of a shard, with the line of the file that it begins in. */
export type ShardRecord = Read & { readonly line: number };

/** Every record of a shard, in order; one that cannot be read spoils no other. */
export function* shardRecords(shard: ShardText): Generator<ShardRecord> {
  const places = placesOf(shard);
  const whole = shard.format === 'csv' ? readWhole(shard, places.length) : undefined;
  for (const [index, place] of places.entries()) {
    const line = shard.line + place.line - 1;
    const cells = whole?.[index];
    const read = cells === undefined ? readAlone(shard, place) : recordOf(shard, cells);
    yield { line, ...read };
  }
}

function placesOf({ bytes, format }: ShardText): RecordPlace[] {
  const places: RecordPlace[] = [];
  const boundaries = new RecordBoundaries(format);
  const keep = (place: RecordPlace): void => void (place.empty || places.push(place));
  boundaries.push(bytes, keep);
  boundaries.end(keep);
  return places;
}

/** All of it at once, which is much faster; undefined where any record is not as it should be. */
function readWhole({ bytes }: ShardText, count: number): string[][] | undefined {
  try {
    const rows: string[][] = parse(decode(bytes), { relax_column_count: true, skip_empty_lines: true });
    return rows.length === count ? rows : undefined;
  } catch {
    return undefined;
  }
}

function readAlone(shard: ShardText, { start, end }: RecordPlace): Read {
  let text: string;
  try {
    text = decode(shard.bytes.subarray(start, end));
  } catch {
    return { problem: 'is not UTF-8' };
  }
  if (shard.format === 'ndjson') return jsonOf(text);
  try {
    const [cells = []]: string[][] = parse(text, { relax_column_count: true });
    return recordOf(shard, cells);
  } catch (error) {
    return { problem: `is no CSV: ${error instanceof Error ? error.message : 'unknown'}` };
  }
}

function recordOf({ columns, features }: ShardText, cells: readonly string[]): Read {
  if (cells.length !== columns.length) {
    return { problem: `has ${cells.length} cells, but the header has ${columns.length}` };
  }
  const record: FeatureRecord = {};
  for (const [at, name] of columns.entries()) {
    const numeric = features.get(name);
    if (numeric !== undefined) record[name] = numeric ? numberOrText(cells[at] ?? '') : (cells[at] ?? '');
  }
  return { record };
}

function jsonOf(text: string): Read {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'is not valid JSON' };
  }
  const parsed = FeatureRecord.safeParse(value);
  if (parsed.success) return { record: parsed.data };
  return { problem: 'is no object of numbers, strings, booleans and nulls' };
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

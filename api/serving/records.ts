import { Readable } from 'node:stream';
import { TextDecoder } from 'node:util';
import { parse } from 'csv-parse';
import { isSaipError } from '../../contracts/errors.ts';
import { FeatureRecord } from '../../contracts/predict.ts';
import { numberOrText } from '../../lib/scoring/index.ts';
import { ApiError } from '../errors.ts';

export const RECORD_TYPES = ['text/csv', 'application/x-ndjson'] as const;
export type RecordType = (typeof RECORD_TYPES)[number];

/** Bytes of one record. */
const MAX_RECORD = 2 ** 20;

/**
 * The records of a file as it arrives, never more of it in memory than one piece and one record.
 * @param features whether cells of CSV are numbers; other columns are left out
 * @throws {ApiError} `REQUEST_INVALID` naming the record; what `bytes` throws
 */
export function readRecords(
  bytes: AsyncIterable<Uint8Array>,
  type: RecordType,
  features: ReadonlyMap<string, boolean>,
): AsyncGenerator<FeatureRecord> {
  return type === 'text/csv' ? readCsv(bytes, features) : readLines(bytes);
}

async function* readCsv(
  bytes: AsyncIterable<Uint8Array>,
  features: ReadonlyMap<string, boolean>,
): AsyncGenerator<FeatureRecord> {
  const columns = (names: string[]): string[] => names.map((name) => name.trim());
  const source = Readable.from(bytes, { objectMode: false });
  const rows = parse({ columns, bom: true, skip_empty_lines: true, max_record_size: MAX_RECORD });
  source.on('error', (error) => rows.destroy(error));
  let record = 0;
  try {
    for await (const row of source.pipe(rows)) {
      const cells = Object.entries(row as Record<string, string>);
      yield Object.fromEntries(
        cells.flatMap(([name, cell]) => {
          const numeric = features.get(name);
          return numeric === undefined ? [] : [[name, numeric ? numberOrText(cell) : cell]];
        }),
      );
      record += 1;
    }
  } catch (error) {
    if (isSaipError(error)) throw error;
    // What the parser read before its error it does not give out any more.
    if (error instanceof Error && 'records' in error) record = Number(error.records);
    throw invalid(record, error instanceof Error ? error.message : 'is no CSV', error);
  } finally {
    source.destroy();
  }
}

async function* readLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<FeatureRecord> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let record = 0;
  let rest = '';
  const pieces = async function* (): AsyncGenerator<string> {
    for await (const piece of bytes) yield decode(decoder, record, piece);
    yield `${decode(decoder, record)}\n`;
  };
  for await (const piece of pieces()) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_RECORD) throw invalid(record, 'is longer than a mebibyte');
    for (const line of lines) {
      if (line.trim() === '') continue;
      yield recordOf(line, record);
      record += 1;
    }
  }
}

function decode(decoder: TextDecoder, record: number, piece?: Uint8Array): string {
  try {
    return piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true });
  } catch (error) {
    throw invalid(record, 'is not UTF-8', error);
  }
}

function recordOf(line: string, record: number): FeatureRecord {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw invalid(record, 'is not valid JSON', error);
  }
  const parsed = FeatureRecord.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(record, 'is no object of numbers, strings, booleans and nulls');
}

function invalid(record: number, problem: string, cause?: unknown): ApiError {
  const field = `body.records[${String(record)}]`;
  return new ApiError('REQUEST_INVALID', `Record ${String(record)}: ${problem}.`.replace('..', '.'), { field, cause });
}

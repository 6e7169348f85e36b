import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import type { TableSchema } from '../../../contracts/table.ts';
import { DatasetError } from '../errors.ts';
import { CellProblem, featureReader, quote, targetReader } from './feature-cells.ts';
import type { CellReader } from './feature-cells.ts';

/** One row as numbers; see `featureReader` and `targetReader`. */
export interface TableRow {
  /** Line in the file on which the row ends, from 1. */
  readonly line: number;
  /** In the order of the schema's features; belongs to the reader of the row. */
  readonly features: Float64Array;
  readonly target: number;
}

/** Characters of one row; a file without line ends must not grow in memory. */
const MAX_ROW = 4 * 1024 * 1024;

interface ReadColumn {
  readonly name: string;
  readonly at: number;
  readonly read: CellReader;
}

interface Layout {
  readonly features: readonly ReadColumn[];
  readonly target: ReadColumn;
}

interface Parsed {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/**
 * Reads the rows of a CSV file (RFC 4180; UTF-8, a header line) one after the other, in memory that does not depend on
 * how many there are. Columns that the schema does not name are passed over.
 *
 * @param bytes of the file, piece by piece
 * @param file its name, for messages
 * @throws DatasetError `DATASET_CELL_INVALID` with `file:line:column` (or `file:line`) as `field`; what `bytes` throws
 */
export async function* readRows(
  bytes: AsyncIterable<Uint8Array>,
  schema: TableSchema,
  file: string,
): AsyncGenerator<TableRow> {
  const parser = parse({
    delimiter: schema.delimiter,
    bom: true,
    info: true,
    skip_empty_lines: true,
    max_record_size: MAX_ROW,
  });
  const fed = pipeline(Readable.from(bytes), parser);
  // The iteration below throws the same error.
  fed.catch(() => undefined);
  let layout: Layout | undefined;
  try {
    for await (const { record, info } of parser as AsyncIterable<Parsed>) {
      if (layout === undefined) layout = layoutOf(record, schema, file);
      else yield readRow(record, layout, file, info.lines);
    }
  } catch (cause) {
    throw cause instanceof CsvError ? malformed(cause, file) : cause;
  }
  if (layout === undefined) throw invalid(file, 'has no header line', `${file}:1`);
}

function layoutOf(header: readonly string[], schema: TableSchema, file: string): Layout {
  const names = header.map((name) => name.trim());
  const at = (name: string): number => {
    const found = names.indexOf(name);
    const again = names.indexOf(name, found + 1);
    if (found !== -1 && again === -1) return found;
    throw invalid(file, `${found === -1 ? 'lacks' : 'has twice'} the column ${quote(name)}`, `${file}:1:${name}`);
  };
  const missing = new Set(['', ...schema.missing]);
  return {
    features: schema.features.map((column) => ({
      name: column.name,
      at: at(column.name),
      read: featureReader(column, missing),
    })),
    target: { name: schema.target.name, at: at(schema.target.name), read: targetReader(schema.target, missing) },
  };
}

function readRow(record: readonly string[], { features, target }: Layout, file: string, line: number): TableRow {
  const cell = ({ name, at, read }: ReadColumn): number => {
    try {
      return read(record[at] ?? '');
    } catch (cause) {
      if (!(cause instanceof CellProblem)) throw cause;
      const place = `line ${line}, column ${quote(name)}`;
      throw invalid(file, `${place}: ${cause.message}`, `${file}:${line}:${name}`);
    }
  };
  return { line, features: Float64Array.from(features, cell), target: cell(target) };
}

function malformed(cause: CsvError, file: string): DatasetError {
  const line = Number(cause['lines'] ?? 0);
  return new DatasetError('DATASET_CELL_INVALID', `${file}, line ${line}: the row is no CSV (${cause.code})`, {
    cause,
    field: `${file}:${line}`,
  });
}

function invalid(file: string, problem: string, field: string): DatasetError {
  return new DatasetError('DATASET_CELL_INVALID', `${file}: ${problem}`, { field });
}

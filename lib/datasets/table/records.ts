import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import { LIMITS } from './limits.ts';
import type { Problems } from './problems.ts';
import { quote } from './problems.ts';
import { utf8Text } from './text.ts';

export interface RecordsOptions {
  readonly source: AsyncIterable<Uint8Array>;
  readonly delimiter: string;
  readonly problems: Problems;
  /** The first record. @returns how many cells each row must have */
  readonly onHeader: (cells: readonly string[], line: number) => number;
  /** Each row with as many cells as there are names, without the white space around a cell. */
  readonly onRow: (cells: readonly string[], line: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Streams the records of a CSV file (RFC 4180, or another delimiter; CRLF, LF or CR) in constant memory. Rows of another
 * length and cells that are too long are collected as problems and left out.
 * @throws DatasetError `DATASET_TABLE_INVALID`; whatever `onHeader` and `onRow` throw
 */
export async function readRecords(o: RecordsOptions): Promise<void> {
  const { problems } = o;
  let width: number | undefined;
  let lastLine = 0;
  const parser = parse({
    bom: true,
    delimiter: o.delimiter,
    max_record_size: LIMITS.record,
    relax_column_count: true,
    skip_empty_lines: true,
    // Handled as it is found: nothing is buffered as an object.
    on_record: (record: string[], { lines }) => {
      const cells = record.map((cell) => cell.trim());
      const line = lines - innerLines(record);
      lastLine = lines;
      if (width === undefined) width = o.onHeader(cells, line);
      else if (cells.length !== width) problems.add({ line, message: ragged(cells.length, width) });
      else if (!hasLongCell(cells, line, problems)) o.onRow(cells, line);
      return null;
    },
  });
  const sink = new Writable({ objectMode: true, write: (_record, _encoding, done) => done() });
  try {
    await pipeline(Readable.from(utf8Text(o.source, problems.file)), parser, sink, { signal: o.signal });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw problems.fail({ line: lastLine + 1, message: meaning(error) });
  }
}

function innerLines(record: readonly string[]): number {
  return record.reduce((sum, cell) => (cell.includes('\n') ? sum + cell.split('\n').length - 1 : sum), 0);
}

function ragged(cells: number, width: number): string {
  const hint =
    cells > width
      ? 'put cells that hold the delimiter in quotes'
      : 'write an empty cell as nothing between two delimiters';
  return `${cells} cells, but the header has ${width}; ${hint}`;
}

function hasLongCell(cells: readonly string[], line: number, problems: Problems): boolean {
  const long = cells.findIndex((cell) => cell.length > LIMITS.cell);
  if (long === -1) return false;
  const cell = cells[long] ?? '';
  const message = `cell ${long + 1} (${quote(cell)}) has ${cell.length} characters; at most ${LIMITS.cell} are taken`;
  problems.add({ line, message });
  return true;
}

/** The parser names its failures by code. */
function meaning({ code, message }: CsvError): string {
  switch (code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return 'the record that begins here has a quote that never closes';
    case 'CSV_MAX_RECORD_SIZE':
      return `the record that begins here is longer than ${LIMITS.record} bytes; perhaps a quote never closes`;
    case 'CSV_INVALID_CLOSING_QUOTE':
    case 'INVALID_OPENING_QUOTE':
      return 'a quote stands inside of a cell; put the whole cell in quotes and write each quote in it twice';
    default:
      return `the record cannot be read: ${message}`;
  }
}

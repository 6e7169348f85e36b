import { MISSING } from './cells.ts';
import { ColumnEvidence } from './evidence.ts';
import { checkHeader } from './header.ts';
import { LIMITS } from './limits.ts';
import type { TableOptions } from '../../../contracts/own-data.ts';
import type { Problems } from './problems.ts';
import { quote } from './problems.ts';
import { readRecords } from './records.ts';

export type Chunks = AsyncIterable<Uint8Array>;

/** What the first reading of a table found. */
export interface Evidence {
  readonly rows: number;
  /** In the order of the file. */
  readonly columns: readonly ColumnEvidence[];
  /** Spellings of "no value" that occur, besides the empty cell. */
  readonly missing: readonly string[];
}

/**
 * Reads every cell once.
 * @throws DatasetError `DATASET_TABLE_INVALID` for what is wrong with the text, its header or the length of its rows
 */
export async function gather(
  source: Chunks,
  o: { options: TableOptions; delimiter: string; problems: Problems; signal?: AbortSignal },
): Promise<Evidence> {
  const { options, delimiter, problems, signal } = o;
  const known = new Set<string>(options.missing ?? MISSING);
  const occurring = new Set<string>();
  const budget = { left: LIMITS.heldText };
  let columns: ColumnEvidence[] = [];
  let rows = 0;
  await readRecords({
    ...{ source, delimiter, problems, signal },
    onHeader: (names, line) => {
      checkHeader(names, line, problems);
      checkNamed(names, options, delimiter, problems);
      const sample = Math.min(LIMITS.sampledOfColumn, Math.floor(LIMITS.sampled / names.length));
      columns = names.map((name) => new ColumnEvidence(name, sample));
      return names.length;
    },
    onRow: (cells, line) => {
      rows += 1;
      for (const [index, column] of columns.entries()) {
        const cell = cells[index] ?? '';
        if (cell === '') column.addMissing(line);
        else if (known.has(cell)) {
          occurring.add(cell);
          column.addMissing(line);
        } else if (!column.add(cell, line, budget)) {
          const message = 'the different values so far take too much memory; leave out columns of text with --drop';
          throw problems.fail({ line, column: column.name, message });
        }
      }
    },
  });
  if (columns.length === 0) throw problems.fail({ message: 'the file is empty; its first line must name the columns' });
  if (rows === 0) problems.add({ message: 'the file has a header and no rows' });
  problems.throwIfAny();
  return { rows, columns, missing: [...occurring].sort() };
}

/** Columns that the options name must be there. */
function checkNamed(names: readonly string[], options: TableOptions, delimiter: string, problems: Problems): void {
  const present = new Set(names);
  if (!present.has(options.target)) {
    const message = `there is no column ${quote(options.target)} for the target; the columns are ${listed(names)}`;
    const alone = `; the file was read with the delimiter ${quote(delimiter)}, name another one with --delimiter`;
    throw problems.fail({ line: 1, message: names.length === 1 ? message + alone : message });
  }
  for (const name of Object.keys(options.columns)) {
    if (!present.has(name)) problems.add({ line: 1, message: `there is no column ${quote(name)} as --column names` });
  }
  if (options.columns[options.target] === 'drop') {
    problems.add({ line: 1, column: options.target, message: 'the target cannot be left out' });
  }
  problems.throwIfAny();
}

const LISTED = 12;

function listed(names: readonly string[]): string {
  const first = names.slice(0, LISTED).map(quote).join(', ');
  return names.length > LISTED ? `${first} and ${names.length - LISTED} more` : first;
}

import { TextDecoder } from 'node:util';
import { parse } from 'csv-parse/sync';
import type { PreparedColumn } from '../../contracts/prepared-data.ts';
import type { TableFacts } from '../../contracts/registry.ts';
import { ScoringError } from './errors.ts';
import { shown } from './features.ts';

/**
 * Names of the columns of a CSV file. Columns that are no features are left out of what is scored.
 * @param bytes of the header, with what comes before it
 * @throws ScoringError `SCORE_FILE_INVALID` where two columns have one name, or a feature that must be there is not
 */
export function headerOf(bytes: Uint8Array, line: number, { columns }: Pick<TableFacts, 'columns'>): string[] {
  const names = read(bytes, line).map((name) => name.trim());
  const double = names.find((name, at) => names.indexOf(name) !== at);
  if (double !== undefined) throw invalid(`two columns are called ${shown(double)}`, line);
  const missing = columns.filter((column) => !mayBeMissing(column) && !names.includes(column.name));
  if (missing.length === 0 && columns.some(({ name }) => names.includes(name))) return names;
  const wanted = (missing.length === 0 ? columns : missing).slice(0, 20).map(({ name }) => shown(name));
  throw invalid(`the header has no column ${wanted.join(', ')}, which the model takes`, line);
}

function mayBeMissing(column: PreparedColumn): boolean {
  return column.kind === 'numeric' ? column.imputed !== undefined : column.nullable;
}

function read(bytes: Uint8Array, line: number): string[] {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const [names = []]: string[][] = parse(text, { bom: true, skip_empty_lines: true });
    return names;
  } catch (cause) {
    throw invalid(`the header is no CSV in UTF-8: ${cause instanceof Error ? cause.message : 'unknown'}`, line);
  }
}

function invalid(problem: string, line: number): ScoringError {
  return new ScoringError('SCORE_FILE_INVALID', `The file cannot be scored: ${problem}.`, { field: `line ${line}` });
}

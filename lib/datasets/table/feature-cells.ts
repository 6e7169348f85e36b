import type { TableColumn, TableTarget } from '../../../contracts/table.ts';

/** What a cell cannot be read as; the reader adds where it stands. */
export class CellProblem extends Error {}

/** Turns the text of one cell into the number that is stored. @throws CellProblem */
export type CellReader = (text: string) => number;

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const SHOWN_CHARACTERS = 40;

/**
 * A reader of a feature's cells: numbers as they are, booleans as 1 and 0, categories as their index or -1 for one that
 * the schema does not list; NaN where the value is missing.
 */
export function featureReader(column: TableColumn, missing: ReadonlySet<string>): CellReader {
  const read = valueReader(column);
  return (text) => {
    if (!missing.has(text.trim())) return read(text);
    if (column.nullable) return Number.NaN;
    throw new CellProblem('the value is missing');
  };
}

/** A reader of the target's cells: class index, or number. */
export function targetReader(target: TableTarget, missing: ReadonlySet<string>): CellReader {
  const indices = target.task === 'classification' ? indexOf(target.labels) : undefined;
  return (text) => {
    const index = indices === undefined ? undefined : lookUp(indices, text);
    if (index !== undefined) return index;
    if (missing.has(text.trim())) throw new CellProblem('the target is missing');
    if (indices === undefined) return number(text, false);
    throw new CellProblem(`${quote(text)} is none of the labels`);
  };
}

function valueReader(column: TableColumn): CellReader {
  switch (column.kind) {
    case 'numeric':
      return (text) => number(text, column.integer);
    case 'boolean': {
      const values = new Map([
        [column.truthy, 1],
        [column.falsy, 0],
      ]);
      return (text) => {
        const value = lookUp(values, text);
        if (value !== undefined) return value;
        throw new CellProblem(`${quote(text)} is neither ${quote(column.truthy)} nor ${quote(column.falsy)}`);
      };
    }
    case 'categorical': {
      const indices = indexOf(column.categories);
      return (text) => lookUp(indices, text) ?? -1;
    }
  }
}

function number(text: string, integer: boolean): number {
  const trimmed = text.trim();
  const value = NUMBER.test(trimmed) ? Number(trimmed) : Number.NaN;
  // The graph takes float32.
  if (!Number.isFinite(Math.fround(value))) throw new CellProblem(`${quote(text)} is no number of single precision`);
  if (integer && !Number.isInteger(value)) throw new CellProblem(`${quote(text)} is no whole number`);
  return value;
}

function indexOf(values: readonly string[]): Map<string, number> {
  return new Map(values.map((value, index) => [value, index]));
}

/** As it is spelled, or without the white space around it. */
function lookUp(values: ReadonlyMap<string, number>, text: string): number | undefined {
  return values.get(text) ?? values.get(text.trim());
}

/** The text of a cell for a message: short, since cells may hold anything. */
export function quote(text: string): string {
  return text.length <= SHOWN_CHARACTERS ? JSON.stringify(text) : `${JSON.stringify(text.slice(0, SHOWN_CHARACTERS))}…`;
}

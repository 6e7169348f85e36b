import type { PreparedColumn } from '../../contracts/prepared-data.ts';
import type { FeatureRecord } from '../../contracts/predict.ts';
import type { TableFacts } from '../../contracts/registry.ts';

type Value = FeatureRecord[string];

/** One input of a table's graph: a column of single precision or of strings, [records, 1]. */
export interface FeatureTensor {
  readonly type: 'float32' | 'string';
  readonly data: Float32Array | string[];
  readonly dims: readonly number[];
}

/** Why a record cannot be asked about. */
export interface FeatureProblem {
  readonly feature: string;
  readonly problem: string;
}

/** Told of a value that the training did not know; the record is answered all the same. */
export type Warn = (feature: string, message: string) => void;

const SHOWN_CHARACTERS = 60;
const SHOWN_FEATURES = 40;

/** Turns records of raw values by the name of the feature into what a model of a table takes. */
export class FeatureReader {
  readonly #columns: readonly PreparedColumn[];
  readonly #known: ReadonlySet<string>;
  readonly #absent: ReadonlySet<string>;
  readonly #categories: ReadonlyMap<string, ReadonlySet<string>>;

  constructor({ columns, missing }: Pick<TableFacts, 'columns' | 'missing'>) {
    this.#columns = columns;
    this.#known = new Set(columns.map(({ name }) => name));
    this.#absent = new Set(['', ...missing]);
    this.#categories = new Map(
      columns.flatMap((column) =>
        column.kind === 'categorical' ? [[column.name, new Set(column.categories)] as const] : [],
      ),
    );
  }

  /** @returns the values in the order of the model's columns, NaN or an empty string where one is missing; or what is wrong */
  read(record: FeatureRecord, warn: Warn): (number | string)[] | FeatureProblem {
    for (const name in record) {
      if (this.#known.has(name)) continue;
      const names = [...this.#known].slice(0, SHOWN_FEATURES).join(', ');
      return { feature: name, problem: `the model has no such feature; it has ${names}` };
    }
    const values: (number | string)[] = [];
    for (const column of this.#columns) {
      const given = Object.hasOwn(record, column.name) ? record[column.name] : null;
      const value = this.#value(column, this.#isMissing(given) ? null : given, warn);
      if (typeof value === 'object') return { feature: column.name, ...value };
      values.push(value);
    }
    return values;
  }

  /** One tensor a column. */
  tensors(rows: readonly (readonly (number | string)[])[]): Record<string, FeatureTensor> {
    const dims = [rows.length, 1];
    return Object.fromEntries(
      this.#columns.map(({ kind, name }, at) => [
        name,
        kind === 'numeric'
          ? { type: 'float32', data: Float32Array.from(rows, (row) => Number(row[at])), dims }
          : { type: 'string', data: rows.map((row) => String(row[at])), dims },
      ]),
    );
  }

  #isMissing(value: Value | undefined): value is null | undefined {
    return value === null || value === undefined || (typeof value === 'string' && this.#absent.has(value.trim()));
  }

  #value(column: PreparedColumn, value: Value | undefined, warn: Warn): number | string | { problem: string } {
    if (value === null || value === undefined) {
      const nullable = column.kind === 'numeric' ? column.imputed !== undefined : column.nullable;
      if (nullable) return column.kind === 'numeric' ? Number.NaN : '';
      return { problem: 'is missing, and the training had no missing value of it' };
    }
    switch (column.kind) {
      case 'numeric':
        if (typeof value === 'number' && Number.isFinite(Math.fround(value))) return inRange(column, value, warn);
        return { problem: `must be a number of single precision, not ${shown(value)}` };
      case 'boolean': {
        const text = typeof value === 'boolean' ? (value ? column.truthy : column.falsy) : String(value).trim();
        if (text === column.truthy || text === column.falsy) return text;
        const { truthy, falsy } = column;
        return { problem: `must be true or false, or as ${shown(truthy)} or ${shown(falsy)}` };
      }
      case 'categorical': {
        const known = this.#categories.get(column.name);
        const text = String(value);
        const category = known?.has(text) === true ? text : text.trim();
        if (known?.has(category) !== true) warn(column.name, `the training knew no category ${shown(text)}`);
        return category;
      }
    }
  }
}

function inRange({ name, range }: Extract<PreparedColumn, { kind: 'numeric' }>, value: number, warn: Warn): number {
  if (
    range !== undefined &&
    (Math.fround(value) < Math.fround(range[0]) || Math.fround(value) > Math.fround(range[1]))
  ) {
    warn(name, `${value} is outside of the training's range, ${range[0]} to ${range[1]}`);
  }
  return value;
}

/** A cell of a column of numbers. What is no number goes as it is, and is then named, or taken for a missing value. */
export function numberOrText(cell: string): number | string {
  const value = cell.trim() === '' ? Number.NaN : Number(cell);
  return Number.isFinite(value) ? value : cell;
}

/** A value as a message shows it. */
export function shown(value: string | number | boolean): string {
  const text = JSON.stringify(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}

import { DatasetError } from '../errors.ts';
import { LIMITS } from './limits.ts';

/** What is wrong with a table, and where. */
export interface TableProblem {
  /** Line of the file, from 1. */
  readonly line?: number;
  readonly column?: string;
  readonly message: string;
}

/** Collects what is wrong, so that it is told at once; never more than a person would read. */
export class Problems {
  readonly file: string;
  readonly #found: TableProblem[] = [];

  constructor(file: string) {
    this.file = file;
  }

  get count(): number {
    return this.#found.length;
  }

  /** @throws DatasetError once there are too many to go on */
  add(problem: TableProblem): void {
    this.#found.push(problem);
    if (this.#found.length >= LIMITS.problems) this.throwIfAny();
  }

  /** @throws DatasetError `DATASET_TABLE_INVALID` with all of them */
  throwIfAny(): void {
    if (this.#found.length > 0) throw tableError(this.file, this.#found);
  }

  /** For a problem that nothing can be read after. */
  fail(problem: TableProblem): DatasetError {
    return tableError(this.file, [...this.#found, problem]);
  }
}

/** `DATASET_TABLE_INVALID`; the message names file, line and column of each problem. */
export function tableError(file: string, problems: readonly TableProblem[]): DatasetError {
  const named = problems.map((problem) => ({ field: placeOf(file, problem), message: problem.message }));
  const more = problems.length >= LIMITS.problems ? `; only the first ${LIMITS.problems} problems are named` : '';
  return new DatasetError(
    'DATASET_TABLE_INVALID',
    `${named.map(({ field, message }) => `${field}: ${message}`).join('; ')}${more}`,
    { field: named[0]?.field, problems: named },
  );
}

function placeOf(file: string, { line, column }: TableProblem): string {
  const at = line === undefined ? file : `${file} line ${line}`;
  return column === undefined ? at : `${at}, column ${quote(column)}`;
}

const SHOWN = 40;

/** Text of a stranger's file, short and with control characters escaped, so that a terminal shows it as it is. */
export function quote(text: string): string {
  const short = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  return JSON.stringify(short).replaceAll(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

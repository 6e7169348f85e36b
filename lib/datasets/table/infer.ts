import type { TableColumn, TableSchema, TableTarget } from '../../../contracts/table.ts';
import { TableSchema as Schema } from '../../../contracts/table.ts';
import type { ColumnEvidence } from './evidence.ts';
import type { Evidence } from './gather.ts';
import { askedColumn, inferColumn } from './infer-column.ts';
import type { ColumnKind, ColumnVerdict } from './infer-column.ts';
import { LIMITS } from './limits.ts';
import type { TableOptions } from '../../../contracts/own-data.ts';
import type { Problems, TableProblem } from './problems.ts';

export interface Inferred {
  readonly schema: TableSchema;
  /** Column that is left out → why. */
  readonly leftOut: ReadonlyMap<string, string>;
}

/** Up to so many different whole numbers are labels rather than a quantity. */
const FEW_LABELS = 20;

/**
 * Decides what each column is.
 * @param file `@id` of the card's file.
 * @throws DatasetError `DATASET_TABLE_INVALID` naming every column that can be nothing
 */
export function inferSchema(
  evidence: Evidence,
  o: { options: TableOptions; delimiter: string; file: string; problems: Problems },
): Inferred {
  const { options, problems } = o;
  const leftOut = new Map<string, string>();
  const features: TableColumn[] = [];
  for (const column of evidence.columns) {
    if (column.name === options.target) continue;
    const reason = reasonToLeaveOut(column, options);
    if (reason !== undefined) {
      leftOut.set(column.name, reason);
      continue;
    }
    const verdict = judge(column, options, evidence.rows);
    if (verdict.kind === 'problem') problems.add(verdict.problem);
    else features.push({ ...verdict, name: column.name, nullable: column.missing > 0 });
  }
  const target = inferTarget(evidence, options, problems);
  if (features.length === 0 && problems.count === 0) problems.add({ message: 'no column is left to learn from' });
  problems.throwIfAny();
  const { delimiter, file } = o;
  return { schema: Schema.parse({ file, features, target, missing: evidence.missing, delimiter }), leftOut };
}

function judge(column: ColumnEvidence, { columns }: TableOptions, rows: number): ColumnVerdict {
  const asked = columns[column.name];
  return asked === undefined || asked === 'drop' ? inferColumn(column, rows) : askedColumn(column, asked);
}

function reasonToLeaveOut({ counts, name, values }: ColumnEvidence, options: TableOptions): string | undefined {
  if (options.columns[name] === 'drop') return 'as asked';
  if (values === 0) return 'no values';
  return counts?.size === 1 ? 'one value only' : undefined;
}

function inferTarget(evidence: Evidence, options: TableOptions, problems: Problems): TableTarget | undefined {
  const column = evidence.columns.find(({ name }) => name === options.target);
  if (column === undefined) return undefined;
  const { missing, name } = column;
  if (missing > 0) {
    const message = `the target has no value in ${missing} of ${evidence.rows} rows, here first; remove those rows`;
    problems.add({ line: column.firstMissing, column: name, message });
  }
  const judged = targetOf(column, judge(column, options, evidence.rows), options);
  if ('message' in judged) problems.add({ column: name, ...judged });
  return 'message' in judged ? undefined : judged;
}

function targetOf(column: ColumnEvidence, verdict: ColumnVerdict, options: TableOptions): TableTarget | TableProblem {
  if (verdict.kind === 'problem' && options.task !== 'classification') return { ...verdict.problem };
  const task = options.task ?? taskOf(column, verdict);
  const { name } = column;
  if (task === 'regression') {
    if (verdict.kind === 'numeric' || column.numbers === column.values) return { task, name, unit: options.unit };
    return { message: 'a regression needs numbers; ask for --task classification' };
  }
  const labels = askedColumn(column, 'categorical');
  if (labels.kind !== 'categorical') {
    const more = `over ${LIMITS.distinct} different values`;
    return { message: `has ${more}: no classification; if they are numbers, ask for --task regression` };
  }
  const { categories } = labels;
  if (categories.length >= 2) return { task: 'classification', name, labels: ordered(verdict, categories) };
  return { message: 'has one value only: there is nothing to tell apart' };
}

/** The label that means no comes first, so that class 1 means yes. */
function ordered(verdict: ColumnVerdict, categories: string[]): string[] {
  return verdict.kind === 'boolean' ? [verdict.falsy, verdict.truthy] : categories;
}

function taskOf({ counts }: ColumnEvidence, verdict: ColumnKind | { kind: 'problem' }): TableTarget['task'] {
  if (verdict.kind !== 'numeric') return 'classification';
  return verdict.integer && counts !== undefined && counts.size <= FEW_LABELS ? 'classification' : 'regression';
}

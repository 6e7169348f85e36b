import type { ColumnProfile, TableProfile } from '../../../contracts/table-profile.ts';
import type { TableColumn, TableSchema } from '../../../contracts/table.ts';
import { LambdaMeter, PearsonMeter, createPairBudget } from './association.ts';
import type { AssociationMeter, PairBudget } from './association.ts';
import { rowDigest } from './assign.ts';
import { numberOf } from './cells.ts';
import { SeenRows } from './duplicates.ts';
import type { ColumnEvidence } from './evidence.ts';
import type { Chunks, Evidence } from './gather.ts';
import type { Inferred } from './infer.ts';
import { Moments } from './moments.ts';
import type { Problems } from './problems.ts';
import { readRecords } from './records.ts';

/** A value further than this many interquartile ranges from its quartile is an outlier (Tukey's far-out values). */
const FENCE = 3;
const TOP = 5;

export type Measured = Pick<TableProfile, 'columns' | 'duplicates' | 'balance'>;

/** Reads the table a second time and measures what only a known schema lets one measure. */
export async function measure(
  source: Chunks,
  o: { evidence: Evidence; inferred: Inferred; problems: Problems; signal?: AbortSignal },
): Promise<Measured> {
  const { evidence, inferred, problems, signal } = o;
  const { schema } = inferred;
  const missing = new Set(['', ...schema.missing]);
  const place = new Map(evidence.columns.map(({ name }, index) => [name, index]));
  const target = targetReader(schema);
  const at = place.get(schema.target.name) ?? 0;
  const budget = createPairBudget();
  const meters = schema.features.map((feature) => {
    const index = place.get(feature.name) ?? 0;
    return new ColumnMeter({ feature, index, evidence: columnAt(evidence, index), schema, budget });
  });
  const targetNumbers = new NumberMeter(columnAt(evidence, at));
  const seen = new SeenRows();
  const duplicates = { exact: 0, conflicting: 0 };
  await readRecords({
    ...{ source, delimiter: schema.delimiter, problems, signal },
    onHeader: (names) => names.length,
    onRow: (cells) => {
      const cell = cells[at] ?? '';
      const value = target(cell);
      if (schema.target.task === 'regression') targetNumbers.add(value);
      for (const meter of meters) meter.add(cells[meter.index] ?? '', value, missing);
      const digest = rowDigest(meters.map(({ index }) => cells[index] ?? ''));
      const known = seen.see(digest, labelKey(value));
      if (known === undefined) return;
      if (known === labelKey(value)) duplicates.exact += 1;
      else duplicates.conflicting += 1;
    },
  });
  const measured = new Map(meters.map((meter) => [meter.name, meter.profile()]));
  const columns = evidence.columns.map((column): ColumnProfile => {
    const common = commonOf(column);
    if (column.name === schema.target.name) {
      const numbers = schema.target.task === 'regression' ? { numbers: targetNumbers.profile() } : {};
      return {
        ...common,
        role: 'target',
        kind: schema.target.task === 'regression' ? 'numeric' : 'categorical',
        ...numbers,
      };
    }
    const reason = inferred.leftOut.get(column.name);
    if (reason !== undefined) return { ...common, role: 'left-out', reason };
    return { ...common, role: 'feature', ...measured.get(column.name) };
  });
  return {
    columns,
    duplicates: { ...duplicates, complete: seen.isComplete },
    balance: balanceOf(schema, evidence, at),
  };
}

function columnAt(evidence: Evidence, index: number): ColumnEvidence {
  const column = evidence.columns[index];
  if (column === undefined) throw new RangeError(`the table has no column ${index}`);
  return column;
}

/** The class index, or the number. */
function targetReader({ target }: TableSchema): (cell: string) => number {
  if (target.task === 'regression') return (cell) => numberOf(cell) ?? 0;
  const index = new Map(target.labels.map((label, place) => [label, place]));
  return (cell) => index.get(cell) ?? 0;
}

/** A class index, or 31 bits that tell almost all different numbers apart. */
function labelKey(value: number): number {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 31) return value;
  const bits = new Uint32Array(Float64Array.of(value).buffer);
  return (((bits[0] ?? 0) ^ Math.imul(bits[1] ?? 0, 0x9e3779b1)) >>> 1) % 2 ** 31;
}

function commonOf(column: ColumnEvidence): Pick<ColumnProfile, 'name' | 'values' | 'missing' | 'distinct'> {
  const { counts, missing, name, values } = column;
  return { name, values, missing, ...(counts === undefined ? {} : { distinct: counts.size }) };
}

function balanceOf({ target }: TableSchema, evidence: Evidence, at: number): TableProfile['balance'] {
  if (target.task === 'regression') return undefined;
  const counts = columnAt(evidence, at).counts;
  return target.labels.map((label) => {
    const count = counts?.get(label) ?? 0;
    return { label, count, share: count / evidence.rows };
  });
}

class NumberMeter {
  readonly #moments = new Moments();
  readonly #quartiles: readonly number[];
  #outliers = 0;

  constructor(evidence: ColumnEvidence) {
    this.#quartiles = evidence.sample.quantiles([0.25, 0.5, 0.75]);
  }

  add(value: number): void {
    const [q1 = 0, , q3 = 0] = this.#quartiles;
    const reach = FENCE * (q3 - q1);
    this.#moments.add(value);
    // Where half of the values are one value, every other one would be outside.
    if (reach > 0 && (value < q1 - reach || value > q3 + reach)) this.#outliers += 1;
  }

  profile(): NonNullable<ColumnProfile['numbers']> {
    const [q1 = 0, median = 0, q3 = 0] = this.#quartiles;
    const { max, mean, min, std } = this.#moments;
    return { min, max, mean, std, q1, median, q3, outliers: this.#outliers };
  }
}

class ColumnMeter {
  readonly name: string;
  readonly index: number;
  readonly #kind: TableColumn['kind'];
  readonly #evidence: ColumnEvidence;
  readonly #numbers: NumberMeter | undefined;
  readonly #associations: readonly AssociationMeter[];

  constructor(o: {
    feature: TableColumn;
    index: number;
    evidence: ColumnEvidence;
    schema: TableSchema;
    budget: PairBudget;
  }) {
    this.name = o.feature.name;
    this.index = o.index;
    this.#kind = o.feature.kind;
    this.#evidence = o.evidence;
    this.#numbers = o.feature.kind === 'numeric' ? new NumberMeter(o.evidence) : undefined;
    this.#associations = associations(o);
  }

  add(cell: string, target: number, missing: ReadonlySet<string>): void {
    if (missing.has(cell)) return;
    const value = this.#numbers === undefined ? undefined : numberOf(cell);
    if (value !== undefined) this.#numbers?.add(value);
    for (const meter of this.#associations) meter.add(cell, value, target);
  }

  profile(): Partial<ColumnProfile> {
    const strongest = this.#associations
      .map((meter) => meter.result())
      .filter((result) => result !== undefined)
      .toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value))[0];
    return {
      kind: this.#kind,
      ...(this.#numbers === undefined ? { top: this.#top() } : { numbers: this.#numbers.profile() }),
      ...(strongest === undefined ? {} : { association: strongest }),
    };
  }

  #top(): NonNullable<ColumnProfile['top']> {
    return [...(this.#evidence.counts ?? [])]
      .toSorted(([a, most], [b, count]) => count - most || (a < b ? -1 : 1))
      .slice(0, TOP)
      .map(([value, count]) => ({ value, count }));
  }
}

function associations(o: {
  feature: TableColumn;
  evidence: ColumnEvidence;
  schema: TableSchema;
  budget: PairBudget;
}): AssociationMeter[] {
  const { budget, evidence, feature, schema } = o;
  const { target } = schema;
  const meters: AssociationMeter[] = [];
  if (feature.kind === 'numeric' && (target.task === 'regression' || target.labels.length === 2)) {
    meters.push(new PearsonMeter());
  }
  if (target.task === 'classification' && evidence.counts !== undefined) {
    const values = [...evidence.counts.keys()];
    const pairs = values.length * target.labels.length;
    if (pairs <= budget.left) {
      budget.left -= pairs;
      meters.push(new LambdaMeter(values, target.labels.length));
    }
  }
  return meters;
}

import type { ColumnProfile, TableProfile, TableWarning } from '../../../contracts/table-profile.ts';
import type { Evidence } from './gather.ts';
import type { Measured } from './measure.ts';
import { quote } from './problems.ts';

/** Above these, a person should look. */
const THRESHOLDS = {
  /** Share of cells without a value. */
  missing: 0.3,
  /** Share of the rarest class. */
  balance: 0.05,
  /** Rows of the rarest class. */
  classRows: 10,
  lambda: 0.99,
  pearson: 0.999,
  /** Different whole numbers, or values, after which a column without any repetition looks like a key. */
  keyRows: 20,
} as const;

/** What a spreadsheet would take for a formula. */
const FORMULA = /^[=@]|^[+-](?![\d.])/;

/** What should be looked at before anything is learnt from the table. */
export function warningsOf(evidence: Evidence, measured: Measured): TableWarning[] {
  const { rows } = evidence;
  return [
    ...measured.columns.flatMap((column) => columnWarnings(column, evidence)),
    ...balanceWarnings(measured.balance),
    ...duplicateWarnings(measured.duplicates, rows),
  ];
}

function columnWarnings(column: ColumnProfile, { columns, rows }: Evidence): TableWarning[] {
  const { name, role } = column;
  const evidence = columns.find((candidate) => candidate.name === name);
  const warnings: TableWarning[] = [];
  const warn = (kind: TableWarning['kind'], message: string): number => warnings.push({ kind, column: name, message });
  if (role === 'left-out') {
    if (column.reason !== 'as asked') warn('constant', `left out: ${column.reason}`);
    return warnings;
  }
  const missing = column.missing / rows;
  if (missing > THRESHOLDS.missing) warn('missing', `${percent(missing)} of the cells have no value`);
  const outliers = column.numbers?.outliers ?? 0;
  if (outliers > 0) warn('outliers', `${outliers} of ${column.values} values are far outside of the middle half`);
  if (evidence !== undefined && [...(evidence.counts?.keys() ?? [])].some((value) => FORMULA.test(value))) {
    warn('formula', 'some values begin as formulas do; here they are plain text, in a spreadsheet they are not');
  }
  if (role === 'target') return warnings;
  const whole = evidence !== undefined && evidence.integers === evidence.values;
  if (evidence?.unique === true && column.values > THRESHOLDS.keyRows && (whole || column.kind !== 'numeric')) {
    warn('identifier', `no value occurs twice, as in a key; a model learns nothing from one: --drop ${quote(name)}`);
  }
  const { association } = column;
  if (association !== undefined && Math.abs(association.value) > THRESHOLDS[association.measure]) {
    warn(
      'leak',
      `tells the target almost alone (${association.measure} ${association.value.toFixed(4)}); if it is known only ` +
        `afterwards, leave it out: --drop ${quote(name)}`,
    );
  }
  return warnings;
}

function balanceWarnings(balance: TableProfile['balance'] = []): TableWarning[] {
  const rarest = balance.toSorted((a, b) => a.count - b.count)[0];
  if (rarest === undefined) return [];
  const what = `the label ${quote(rarest.label)} has ${rarest.count} rows`;
  if (rarest.count < THRESHOLDS.classRows) {
    return [{ kind: 'small-class', message: `${what}: too few to learn from and to test on` }];
  }
  if (rarest.share >= THRESHOLDS.balance) return [];
  return [{ kind: 'imbalance', message: `${what}, ${percent(rarest.share)}: accuracy alone says little` }];
}

function duplicateWarnings(duplicates: TableProfile['duplicates'], rows: number): TableWarning[] {
  const { complete, conflicting, exact } = duplicates;
  const least = complete ? '' : 'at least ';
  const warnings: TableWarning[] = [];
  if (exact > 0) {
    const message = `${least}${exact} of ${rows} rows repeat an earlier one; a split by content keeps them on one side`;
    warnings.push({ kind: 'duplicates', message });
  }
  if (conflicting > 0) {
    const message = `${least}${conflicting} rows have the features of an earlier one and another target: no model can tell them`;
    warnings.push({ kind: 'conflicts', message });
  }
  return warnings;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

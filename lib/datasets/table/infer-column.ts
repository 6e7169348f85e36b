import { booleanSpelling, isDate } from './cells.ts';
import type { ColumnEvidence } from './evidence.ts';
import { LIMITS } from './limits.ts';
import { quote } from './problems.ts';
import type { TableProblem } from './problems.ts';

export type ColumnKind =
  | { readonly kind: 'numeric'; readonly integer: boolean }
  | { readonly kind: 'boolean'; readonly truthy: string; readonly falsy: string }
  | { readonly kind: 'categorical'; readonly categories: string[] };

/** What a column is, or why it can be nothing. */
export type ColumnVerdict = ColumnKind | { readonly kind: 'problem'; readonly problem: TableProblem };

export type AskedKind = ColumnKind['kind'];

/** So few different values make a category in a table of any length. */
const FEW = 20;
/** Above this share of numbers, a cell that is none is taken for a mistake in a numeric column. */
const MOSTLY = 0.95;

/**
 * What a column is, by the rules of the documentation: a known pair of spellings is boolean; numbers alone are numeric;
 * mostly numbers is a mistake; dates and text are refused; few enough different values are categories.
 */
export function inferColumn(evidence: ColumnEvidence, rows: number): ColumnVerdict {
  const { counts, name, numbers, values } = evidence;
  const spelling = counts && booleanSpelling([...counts.keys()]);
  if (spelling !== undefined) return { kind: 'boolean', ...spelling };
  if (numbers === values) return asNumeric(evidence);
  if (numbers >= values * MOSTLY && (counts?.size ?? Infinity) > FEW) return spoiltNumber(evidence);
  if (counts !== undefined && [...counts.keys()].every(isDate)) {
    return refused(name, `holds dates or times; make numbers of them, or leave it out: --drop ${quote(name)}`);
  }
  if (counts === undefined || counts.size > Math.max(FEW, rows / 2)) return asText(evidence);
  return asCategorical(evidence);
}

/** What the person says the column is, where its cells allow it. */
export function askedColumn(evidence: ColumnEvidence, asked: AskedKind): ColumnVerdict {
  if (asked === 'numeric') return asNumeric(evidence);
  if (asked === 'categorical') return asCategorical(evidence);
  return asBoolean(evidence);
}

function asNumeric({ name, notNumber, integers, values }: ColumnEvidence): ColumnVerdict {
  if (notNumber === undefined) return { kind: 'numeric', integer: integers === values };
  return refused(name, `${quote(notNumber.text)} is no number`, notNumber.line);
}

function asBoolean({ counts, name }: ColumnEvidence): ColumnVerdict {
  const values = [...(counts?.keys() ?? [])].sort();
  const spelling = booleanSpelling(values);
  if (spelling !== undefined) return { kind: 'boolean', ...spelling };
  const [falsy, truthy] = values;
  if (values.length === 2 && falsy !== undefined && truthy !== undefined) return { kind: 'boolean', truthy, falsy };
  const number = counts === undefined ? `over ${LIMITS.distinct}` : counts.size;
  return refused(name, `a boolean has two different values; this column has ${number}`);
}

/** Categories are ordered by code unit, numbers by value. */
function asCategorical({ counts, long, name, numbers, values }: ColumnEvidence): ColumnVerdict {
  if (counts === undefined) {
    const why = long > 0 ? `a value of over ${LIMITS.category} characters` : `over ${LIMITS.distinct} different values`;
    return refused(name, `has ${why}: too much for categories; leave it out: --drop ${quote(name)}`);
  }
  const byValue = (a: string, b: string): number => Number(a) - Number(b) || (a < b ? -1 : 1);
  const categories = [...counts.keys()];
  return { kind: 'categorical', categories: numbers === values ? categories.sort(byValue) : categories.sort() };
}

function spoiltNumber({ name, notNumber, numbers, values }: ColumnEvidence): ColumnVerdict {
  const text = quote(notNumber?.text ?? '');
  return refused(
    name,
    `${text} is no number, but ${numbers} of ${values} cells are; mend it, say that it means no value: ` +
      `--missing ${text}, or that these are categories: --column ${quote(name)}=categorical`,
    notNumber?.line,
  );
}

function asText({ name, unique, notNumber }: ColumnEvidence): ColumnVerdict {
  const what = unique
    ? 'every value is another one, as names and keys are'
    : 'too many different values for categories';
  return refused(
    name,
    `holds text (${what}, such as ${quote(notNumber?.text ?? '')}); leave it out: --drop ${quote(name)}`,
    notNumber?.line,
  );
}

function refused(column: string, message: string, line?: number): ColumnVerdict {
  return { kind: 'problem', problem: { column, message, ...(line === undefined ? {} : { line }) } };
}

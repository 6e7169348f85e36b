import type { ColumnProfile, TableProfile } from '../../contracts/table-profile.ts';
import type { Io } from '../io.ts';
import { colorsOf } from './colors.ts';
import { renderPairs, renderTable } from './table.ts';

/** What was measured of a table, for a person. */
export function renderProfile(profile: TableProfile, io: Io): string {
  const { bytes, columns, duplicates, rows } = profile;
  const pairs = renderPairs([
    ['rows', rows],
    ['bytes', bytes],
    ['sha-256', profile.sha256],
    ['doubled rows', `${duplicates.exact}${duplicates.complete ? '' : ' or more'}`],
    ['contradicting rows', `${duplicates.conflicting}${duplicates.complete ? '' : ' or more'}`],
    ['labels', balance(profile.balance)],
  ]);
  const table = renderTable(
    ['column', 'role', 'kind', 'missing', 'different', 'values'],
    columns.map((column) => [
      column.name,
      column.role,
      column.kind ?? column.reason,
      column.missing,
      column.distinct ?? 'over 1000',
      valuesOf(column),
    ]),
    io,
  );
  return [pairs, table, ...warnings(profile, io)].join('\n\n');
}

const LABELS = 8;

function balance(labels: TableProfile['balance']): string | undefined {
  if (labels === undefined) return undefined;
  const shown = labels.slice(0, LABELS).map(({ label, share }) => `${plain(label)} ${(share * 100).toFixed(1)} %`);
  return [...shown, ...(labels.length > LABELS ? [`and ${labels.length - LABELS} more`] : [])].join(', ');
}

function valuesOf({ numbers, top }: ColumnProfile): string | undefined {
  if (numbers !== undefined) {
    const { max, median, min } = numbers;
    return `${short(min)} … ${short(median)} … ${short(max)}`;
  }
  return top?.map(({ value }) => plain(value)).join(', ');
}

/** Text of a stranger's file must not move the cursor. */
function plain(text: string): string {
  const visible = text.replaceAll(/\p{C}/gu, '·');
  return visible.length > 20 ? `${visible.slice(0, 20)}…` : visible;
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function warnings({ warnings: found }: TableProfile, io: Io): string[] {
  if (found.length === 0) return [];
  const { yellow } = colorsOf(io);
  return [
    found
      .map(({ column, message }) => `${yellow('!')} ${column === undefined ? '' : `${column}: `}${message}`)
      .join('\n'),
  ];
}

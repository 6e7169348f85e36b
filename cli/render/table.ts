import Table from 'cli-table3';
import type { Io } from '../io.ts';

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

export type Cell = string | number | undefined;

/** Columns without borders, as `kubectl` and `docker` print them; an absent cell is `-`. */
export function renderTable(head: readonly string[], rows: readonly (readonly Cell[])[], io: Io): string {
  const table = new Table({
    head: head.map((title) => title.toUpperCase()),
    chars: NO_BORDERS,
    style: { 'padding-left': 0, 'padding-right': 0, head: io.color ? ['bold'] : [], border: [] },
  });
  for (const row of rows) table.push(row.map((cell) => (cell === undefined ? '-' : String(cell))));
  return trimLines(table.toString());
}

/** Names and values below each other, the values aligned. Pairs without a value are left out. */
export function renderPairs(pairs: readonly (readonly [string, Cell])[]): string {
  const present = pairs.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...present.map(([name]) => name.length));
  return present.map(([name, value]) => `${name.padEnd(width)}  ${String(value)}`).join('\n');
}

function trimLines(text: string): string {
  return text.replace(/[ \t]+$/gm, '');
}

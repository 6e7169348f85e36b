import { parse } from 'csv-parse/sync';

const CANDIDATES = [',', ';', '\t', '|'] as const;

/**
 * The delimiter that divides the first record into most cells; the comma where none does.
 * @param head The first bytes of the file, as far as they are whole lines or as many as one likes to look at.
 */
export function detectDelimiter(head: Buffer): string {
  const widths = CANDIDATES.map((delimiter) => ({ delimiter, width: firstWidth(head, delimiter) }));
  return widths.reduce((best, candidate) => (candidate.width > best.width ? candidate : best)).delimiter;
}

function firstWidth(head: Buffer, delimiter: string): number {
  try {
    const [first] = parse(head, { bom: true, delimiter, to: 1, relax_column_count: true, relax_quotes: true });
    return first?.length ?? 0;
  } catch {
    return 0;
  }
}

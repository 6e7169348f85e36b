/** What bounds the memory and the time of reading a table that somebody sent. */
export const LIMITS = {
  /** Features and target. */
  columns: 2001,
  /** Characters of a column's name. */
  name: 128,
  /** Characters of a cell. */
  cell: 32_768,
  /** Bytes of a record; reached by a quote that never closes. */
  record: 4 * 2 ** 20,
  /** Different values of a category, or labels of a target. */
  distinct: 1000,
  /** Characters of a category. */
  category: 256,
  /** Characters of all different values that are held at once. */
  heldText: 32 * 2 ** 20,
  /** Numbers that all columns together keep as samples, and the most for one. */
  sampled: 2_000_000,
  sampledOfColumn: 10_000,
  /** Different rows whose digests are remembered. */
  digests: 2 ** 21,
  /** Counters of pairs of value and label, of all columns together. */
  pairs: 4_000_000,
  /** Problems that are told at once. */
  problems: 20,
} as const;

import { hash } from 'node:crypto';

export type SplitName = 'train' | 'validation' | 'test';

/**
 * SHA-256 of what a row says: its feature cells in the order of the schema, without the white space around them. The
 * target is left out, so that rows that differ in their label alone have one digest.
 */
export function rowDigest(features: readonly string[]): Buffer {
  return hash('sha256', JSON.stringify(features), 'buffer');
}

/**
 * Which split a row belongs to, by nothing but the seed and what the row says. Equal rows are therefore always on one
 * side: no copy of a training row is ever tested on, whatever their order and number, and rows that are added later
 * move none. The shares hold in expectation, over different rows.
 *
 * @param o.rowDigest As `rowDigest` gives it. @param o.validationShare, o.testShare 0..1, at most 1 together.
 */
export function assignSplit(o: {
  readonly seed: number;
  readonly rowDigest: Uint8Array;
  readonly validationShare: number;
  readonly testShare: number;
}): SplitName {
  const mixed = hash('sha256', Buffer.concat([Buffer.from(`${o.seed}\n`), o.rowDigest]), 'buffer');
  const share = mixed.readUIntBE(0, 6) / 2 ** 48;
  if (share < o.testShare) return 'test';
  return share < o.testShare + o.validationShare ? 'validation' : 'train';
}

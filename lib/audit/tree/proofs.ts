import { AuditError } from '../errors.ts';
import { EMPTY_ROOT, nodeHash } from './hash.ts';
import { TileNodes, type TileReader } from './tiles.ts';

/** Leaves `[low, high)`. */
interface Span {
  readonly low: number;
  readonly high: number;
}

/** Merkle tree hash over the first `size` leaves (RFC 6962 section 2.1). @throws AuditError AUDIT_RANGE_UNKNOWN */
export async function rootAt(reader: TileReader, size: number): Promise<Uint8Array> {
  checkSize(size);
  return size === 0 ? EMPTY_ROOT : spanHash(new TileNodes(reader, size), { low: 0, high: size });
}

/**
 * What leads from the leaf `index` to the root of the tree of `size` leaves (RFC 9162 section 2.1.3.1), lowest first.
 * @throws AuditError AUDIT_RANGE_UNKNOWN
 */
export async function inclusionProof(reader: TileReader, index: number, size: number): Promise<Uint8Array[]> {
  checkSize(size);
  checkSize(index);
  if (index >= size) throw new AuditError('AUDIT_RANGE_UNKNOWN', `A tree of ${size} leaves has no leaf ${index}.`);
  const nodes = new TileNodes(reader, size);
  const path: Promise<Uint8Array>[] = [];
  let { low, high }: Span = { low: 0, high: size };
  while (high - low > 1) {
    const middle = low + splitOf(high - low);
    const left = index < middle;
    path.push(spanHash(nodes, left ? { low: middle, high } : { low, high: middle }));
    if (left) high = middle;
    else low = middle;
  }
  return (await Promise.all(path)).reverse();
}

/**
 * That the tree of `from` leaves is the beginning of the tree of `to` leaves (RFC 9162 section 2.1.4.1).
 * @throws AuditError AUDIT_RANGE_UNKNOWN
 */
export async function consistencyProof(reader: TileReader, from: number, to: number): Promise<Uint8Array[]> {
  checkSize(from);
  checkSize(to);
  if (from > to) throw new AuditError('AUDIT_RANGE_UNKNOWN', `A tree of ${to} leaves does not hold ${from}.`);
  if (from === 0 || from === to) return [];
  const nodes = new TileNodes(reader, to);
  const path: Promise<Uint8Array>[] = [];
  let { low, high }: Span = { low: 0, high: to };
  // While the older tree ends at the right edge of a complete subtree that starts at 0, its root is known to the asker.
  let known = true;
  while (from !== high) {
    const middle = low + splitOf(high - low);
    if (from <= middle) {
      path.push(spanHash(nodes, { low: middle, high }));
      high = middle;
    } else {
      path.push(spanHash(nodes, { low, high: middle }));
      low = middle;
      known = false;
    }
  }
  if (!known) path.push(spanHash(nodes, { low, high }));
  return (await Promise.all(path)).reverse();
}

/** The largest power of two below `n`, where trees are split. */
function splitOf(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

async function spanHash(nodes: TileNodes, { low, high }: Span): Promise<Uint8Array> {
  const count = high - low;
  const height = Math.log2(count);
  // A power of two that the splits produced lies where a complete subtree does.
  if (Number.isInteger(height)) return nodes.node(height, low / count);
  const middle = low + splitOf(count);
  const [left, right] = await Promise.all([
    spanHash(nodes, { low, high: middle }),
    spanHash(nodes, { low: middle, high }),
  ]);
  return nodeHash(left, right);
}

function checkSize(size: number): void {
  if (Number.isSafeInteger(size) && size >= 0) return;
  throw new AuditError('AUDIT_RANGE_UNKNOWN', `${size} is no number of leaves.`);
}

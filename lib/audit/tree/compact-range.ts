import { EMPTY_ROOT, nodeHash } from './hash.ts';

/**
 * The roots of the complete subtrees of a growing tree, largest first: what is needed to append leaves and to know the
 * root, in O(log n) memory (transparency-dev/merkle, docs/compact_ranges.md).
 */
export class CompactRange {
  readonly #roots: Uint8Array[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  append(leaf: Uint8Array): void {
    let right = leaf;
    // As many subtrees are completed as the size has ones at its low end.
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      const left = this.#roots.pop();
      if (left === undefined) throw new Error('a compact range lost a subtree');
      right = nodeHash(left, right);
    }
    this.#roots.push(right);
    this.#size += 1;
  }

  /** Merkle tree hash over all leaves (RFC 6962 section 2.1). */
  root(): Uint8Array {
    return rootOf(this.#roots);
  }
}

/** The root over complete subtrees that stand side by side, largest first. */
export function rootOf(subtrees: readonly Uint8Array[]): Uint8Array {
  return (
    subtrees.reduceRight<Uint8Array | undefined>(
      (right, left) => (right === undefined ? left : nodeHash(left, right)),
      undefined,
    ) ?? EMPTY_ROOT
  );
}

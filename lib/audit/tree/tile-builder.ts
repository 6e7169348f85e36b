import { rootOf } from './compact-range.ts';
import { HASH_BYTES } from './hash.ts';
import { TILE_WIDTH, subtreeRoot, type Tile } from './tiles.ts';

/** A tile as it is stored: all of its hashes one after the other. */
export interface StoredTile extends Omit<Tile, 'width'> {
  readonly hashes: Uint8Array;
}

/**
 * The right edge of a tree in tiles: it takes leaves in and says which tiles changed. An append costs one hash of a
 * node, the root at most one for each hash on the edge.
 */
export class TileBuilder {
  /** The last tile of each level, full ones excluded. */
  readonly #edge: Buffer[] = [];
  readonly #done: StoredTile[] = [];
  #size: number;

  /** @param edge the partial tiles of the tree of `size` leaves; a level without one may be absent */
  constructor(size: number, edge: readonly StoredTile[] = []) {
    this.#size = size;
    for (const { level, hashes } of edge) this.#level(level).set(hashes);
  }

  get size(): number {
    return this.#size;
  }

  append(leaf: Uint8Array): void {
    this.#put(0, this.#size, leaf);
    this.#size += 1;
  }

  /** The tiles that changed since the last call: completed ones and the partial ones of the edge. */
  changes(): StoredTile[] {
    const partial = this.#edge.flatMap((buffer, level) => {
      const count = Math.floor(this.#size / TILE_WIDTH ** level);
      const width = count % TILE_WIDTH;
      const index = Math.floor(count / TILE_WIDTH);
      return width === 0 ? [] : [{ level, index, hashes: Buffer.from(buffer.subarray(0, width * HASH_BYTES)) }];
    });
    return [...this.#done.splice(0), ...partial];
  }

  root(): Uint8Array {
    const subtrees: Uint8Array[] = [];
    for (let level = this.#edge.length - 1; level >= 0; level -= 1) {
      let rest = Math.floor(this.#size / TILE_WIDTH ** level) % TILE_WIDTH;
      let start = 0;
      for (let count = TILE_WIDTH / 2; count >= 1; count /= 2) {
        if (rest < count) continue;
        subtrees.push(subtreeRoot(this.#level(level).subarray(start * HASH_BYTES, (start + count) * HASH_BYTES)));
        start += count;
        rest -= count;
      }
    }
    return rootOf(subtrees);
  }

  #put(level: number, position: number, hash: Uint8Array): void {
    const buffer = this.#level(level);
    const slot = position % TILE_WIDTH;
    buffer.set(hash, slot * HASH_BYTES);
    if (slot < TILE_WIDTH - 1) return;
    const index = Math.floor(position / TILE_WIDTH);
    this.#done.push({ level, index, hashes: Buffer.from(buffer) });
    this.#put(level + 1, index, subtreeRoot(buffer));
  }

  #level(level: number): Buffer {
    while (this.#edge.length <= level) this.#edge.push(Buffer.alloc(TILE_WIDTH * HASH_BYTES));
    return this.#edge[level] as Buffer;
  }
}

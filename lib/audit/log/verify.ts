import { equal, HASH_BYTES, leafHash } from '../tree/hash.ts';
import { TileBuilder } from '../tree/tile-builder.ts';
import { TILE_WIDTH, tilePath, type TileReader } from '../tree/tiles.ts';
import { decodeBundle } from './bundle.ts';
import { openCheckpoint, type Checkpoint } from './checkpoint.ts';
import type { NoteKey } from './note.ts';
import { ErasureCheck } from './erasures.ts';
import type { LogSource, PersonalState } from './source.ts';
import { commit } from './record.ts';

export interface VerifyLogOptions {
  readonly source: LogSource;
  readonly keys: readonly NoteKey[];
  /** The newest checkpoint that the verifier saw before: without one a log that was rewritten whole looks right. */
  readonly kept?: Checkpoint;
  /** An older copy of the log's tiles: it names the very leaf at which a rewritten log departs. */
  readonly copy?: { readonly tiles: TileReader; readonly size: number };
}

export interface Damage {
  readonly kind: 'edited' | 'missing' | 'rewritten' | 'shrunk' | 'tile' | 'personal' | 'erasure';
  /** First leaf that is not what it was. */
  readonly index: number;
  /** Where only signed heads tell: the leaf at fault is at `index` or after it, and before this one. */
  readonly before?: number;
  readonly message: string;
}

export interface VerifiedLog {
  readonly checkpoint: Checkpoint;
  /** Undefined: the log is what was signed. */
  readonly damage?: Damage;
  /** Signed heads that the recomputed tree went through. */
  readonly heads: number;
  /** Leaves whose personal half was compared, and those whose half is erased. */
  readonly personal: number;
  readonly erased: number;
}

/** Ends a verification at its first damage. */
class Found extends Error {
  readonly damage: Damage;
  constructor(damage: Damage) {
    super(damage.message);
    this.damage = damage;
  }
}

/**
 * Recomputes a whole log from its entries, in memory that does not grow with it, and compares every tile, every signed
 * head, and the head that the verifier kept.
 * @throws AuditError AUDIT_NOTE_INVALID, AUDIT_KEY_UNTRUSTED: nothing trusted was signed
 */
export async function verifyLog(options: VerifyLogOptions): Promise<VerifiedLog> {
  const checkpoint = openCheckpoint(await options.source.checkpoint(), options.keys);
  const walk = new Walk(options, checkpoint, await signedHeads(options, checkpoint));
  try {
    await walk.run();
    return { checkpoint, ...walk.counts };
  } catch (error) {
    if (error instanceof Found) return { checkpoint, ...walk.counts, damage: error.damage };
    throw error;
  }
}

/** Size → root of every head that a trusted key signed, smallest first. */
async function signedHeads(
  { source, keys, kept }: VerifyLogOptions,
  newest: Checkpoint,
): Promise<Map<number, Uint8Array[]>> {
  const older = ((await source.checkpoints?.()) ?? []).map((note) => openCheckpoint(note, keys));
  const all = [...older, ...(kept === undefined ? [] : [kept]), newest].sort((a, b) => a.size - b.size);
  const heads = new Map<number, Uint8Array[]>();
  for (const { size, root } of all) heads.set(size, [...(heads.get(size) ?? []), root]);
  return heads;
}

class Walk {
  readonly #options: VerifyLogOptions;
  readonly #size: number;
  readonly #heads: Map<number, Uint8Array[]>;
  readonly #builder = new TileBuilder(0);
  readonly #erasures = new ErasureCheck();
  /** Size of the largest signed head that the tree went through. */
  #good = 0;
  readonly counts = { heads: 0, personal: 0, erased: 0 };

  constructor(options: VerifyLogOptions, { size }: Checkpoint, heads: Map<number, Uint8Array[]>) {
    this.#options = options;
    this.#size = size;
    this.#heads = heads;
  }

  async run(): Promise<void> {
    this.#compareHeads();
    for (let bundle = 0; bundle * TILE_WIDTH < this.#size; bundle += 1) await this.#bundle(bundle);
    await this.#compareTiles();
    const { kept } = this.#options;
    if (kept !== undefined && kept.size > this.#size) {
      throw new Found({
        kind: 'shrunk',
        index: this.#size,
        message: `The log has ${this.#size} leaves; ${kept.size} were signed and seen before.`,
      });
    }
    const unexplained = this.#erasures.unexplained();
    if (unexplained === undefined) return;
    const message = `The personal data of leaf ${unexplained} is gone, and no record of an erasure says why.`;
    throw new Found({ kind: 'erasure', index: unexplained, message });
  }

  async #bundle(index: number): Promise<void> {
    const { source, copy } = this.#options;
    const first = index * TILE_WIDTH;
    const width = Math.min(TILE_WIDTH, this.#size - first);
    const entries = decodeBundle(await source.entries(index, width));
    const tile = await source.tile({ level: 0, index, width });
    const known = copy && copy.size > first ? Math.min(width, copy.size - first) : 0;
    const old = known > 0 ? await copy?.tiles.tile({ level: 0, index, width: known }) : undefined;
    const personal = await source.personal?.(index, width);
    for (let offset = 0; offset < width; offset += 1) {
      const leaf = first + offset;
      const entry = entries[offset];
      if (entry === undefined) throw new Found({ kind: 'missing', index: leaf, message: `Leaf ${leaf} is missing.` });
      const hash = leafHash(entry);
      if (!matches(hash, tile, offset)) throw edited(leaf, 'its hash in the tree');
      if (offset < known && !matches(hash, old, offset)) throw edited(leaf, 'the copy that was kept');
      this.#personal(leaf, entry, personal?.[offset]);
      this.#builder.append(hash);
      this.#compareHeads();
    }
    if (entries.length > width) throw edited(first + width, 'the signed size');
    await this.#compareTiles(({ hashes }) => hashes.length === TILE_WIDTH * HASH_BYTES);
  }

  #personal(leaf: number, entry: Buffer, state: PersonalState | undefined): void {
    const shown = this.#erasures.see(leaf, entry, state);
    if (state === undefined) return;
    if ('erasedBy' in state) {
      this.counts.erased += 1;
      return;
    }
    this.counts.personal += 1;
    if (commit(state.record, state.salt).toString('hex') === shown) return;
    const message = `The personal data of leaf ${leaf} is not what the leaf commits to.`;
    throw new Found({ kind: 'personal', index: leaf, message });
  }

  #compareHeads(): void {
    const { size } = this.#builder;
    const roots = this.#heads.get(size);
    if (roots === undefined) return;
    const root = this.#builder.root();
    if (roots.every((signed) => equal(signed, root))) {
      this.#good = size;
      this.counts.heads += 1;
      return;
    }
    throw new Found({
      kind: 'rewritten',
      index: this.#good,
      before: size,
      message: `The first ${size} leaves are not those whose head was signed; the first ${this.#good} are.`,
    });
  }

  /** Tiles above the lowest level are compared as they are completed, and once more at the end. */
  async #compareTiles(which: (tile: { readonly hashes: Uint8Array }) => boolean = () => true): Promise<void> {
    for (const { level, index, hashes } of this.#builder.changes().filter(which)) {
      const width = hashes.length / HASH_BYTES;
      const stored = await this.#options.source.tile({ level, index, width });
      if (stored !== undefined && equal(stored, hashes)) continue;
      const path = tilePath({ level, index, width });
      const first = index * TILE_WIDTH ** (level + 1);
      throw new Found({ kind: 'tile', index: first, message: `${path} does not follow from the entries.` });
    }
  }
}

function matches(hash: Uint8Array, tile: Uint8Array | undefined, offset: number): boolean {
  return tile !== undefined && equal(hash, tile.subarray(offset * HASH_BYTES, (offset + 1) * HASH_BYTES));
}

function edited(leaf: number, other: string): Found {
  return new Found({ kind: 'edited', index: leaf, message: `Leaf ${leaf} differs from ${other}.` });
}

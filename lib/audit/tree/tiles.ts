import { AuditError } from '../errors.ts';
import { HASH_BYTES, raise } from './hash.ts';

/** Hashes of a full tile (C2SP tlog-tiles, "Merkle Tree"). */
export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;

export interface Tile {
  readonly level: number;
  readonly index: number;
  /** Hashes in it, 1 to 256. */
  readonly width: number;
}

/** Where tiles are kept. */
export interface TileReader {
  /** The first `width` hashes of a tile, one after the other; undefined where there are not so many. */
  tile(tile: Tile): Promise<Uint8Array | undefined>;
}

/** Every tile of a tree of `size` leaves, lowest level first; partial ones are the last of their level. */
export function* tilesOf(size: number): Generator<Tile> {
  for (let level = 0, hashes = size; hashes > 0; level += 1, hashes = Math.floor(hashes / TILE_WIDTH)) {
    for (let index = 0; index * TILE_WIDTH < hashes; index += 1) {
      yield { level, index, width: Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH) };
    }
  }
}

/** `tile/<L>/<N>[.p/<W>]`; the level `entries` names bundles of entries (C2SP tlog-tiles). */
export function tilePath({ level, index, width }: Omit<Tile, 'level'> & { level: number | 'entries' }): string {
  const partial = width < TILE_WIDTH ? `.p/${width}` : '';
  return `tile/${level}/${indexPath(index)}${partial}`;
}

/** Index 1234067 is `x001/x234/067`. */
function indexPath(index: number): string {
  const last = String(index % 1000).padStart(3, '0');
  let path = last;
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    path = `x${String(rest % 1000).padStart(3, '0')}/${path}`;
  }
  return path;
}

const PATH = /^(\d{1,2}|entries)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** Reads what follows `tile/` in a path. @returns undefined where that is no canonical path of a tile */
export function parseTilePath(path: string): (Omit<Tile, 'level'> & { level: number | 'entries' }) | undefined {
  const [, level, digits, width] = PATH.exec(path) ?? [];
  if (level === undefined || digits === undefined) return undefined;
  const tile = {
    level: level === 'entries' ? ('entries' as const) : Number(level),
    index: Number(digits.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  const canonical = Number.isSafeInteger(tile.index) && tilePath(tile) === `tile/${path}`;
  return canonical && (tile.level === 'entries' || tile.level < 64) ? tile : undefined;
}

/** Nodes of the tree out of its tiles; a tile is asked for once, however many nodes are read from it. */
export class TileNodes {
  readonly #reader: TileReader;
  readonly #size: number;
  readonly #tiles = new Map<string, Promise<Uint8Array>>();

  /** @param size of the tree whose nodes are read: it decides how wide the last tiles are */
  constructor(reader: TileReader, size: number) {
    this.#reader = reader;
    this.#size = size;
  }

  /**
   * Root of the complete subtree over the leaves `[index * 2^height, (index + 1) * 2^height)`.
   * @throws AuditError AUDIT_RANGE_UNKNOWN where a tile is not there
   */
  async node(height: number, index: number): Promise<Uint8Array> {
    const level = Math.floor(height / TILE_HEIGHT);
    const count = 2 ** (height % TILE_HEIGHT);
    const first = index * count;
    const tile = await this.#tile(level, Math.floor(first / TILE_WIDTH));
    const start = (first % TILE_WIDTH) * HASH_BYTES;
    return subtreeRoot(tile.subarray(start, start + count * HASH_BYTES));
  }

  #tile(level: number, index: number): Promise<Uint8Array> {
    const key = `${level}/${index}`;
    const known = this.#tiles.get(key) ?? this.#read(level, index);
    this.#tiles.set(key, known);
    return known;
  }

  async #read(level: number, index: number): Promise<Uint8Array> {
    const hashes = Math.floor(this.#size / TILE_WIDTH ** level);
    const width = Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH);
    const bytes = await this.#reader.tile({ level, index, width });
    if (bytes?.length === width * HASH_BYTES) return bytes;
    const field = tilePath({ level, index, width });
    throw new AuditError('AUDIT_RANGE_UNKNOWN', `The log has no ${field}.`, { field });
  }
}

/** Root over 2^k hashes that follow each other. */
export function subtreeRoot(hashes: Uint8Array): Uint8Array {
  const row = Buffer.from(hashes);
  for (let count = row.length / HASH_BYTES; count > 1; count /= 2) raise(row, count);
  return row.subarray(0, HASH_BYTES);
}

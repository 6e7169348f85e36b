import { generateKeyPairSync, sign } from 'node:crypto';
import { encodeBundle, noteKey, signCheckpoint, TILE_WIDTH, TileBuilder, leafHash } from '../../../lib/audit/index.ts';
import type { LogSource, NoteKey, Tile, TileReader } from '../../../lib/audit/index.ts';

export interface TestKey {
  readonly key: NoteKey;
  readonly sign: (text: Uint8Array) => Promise<Uint8Array>;
}

/** A key of a test's own, in this process. */
export function newKey(name = 'log.test/audit'): TestKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return {
    key: noteKey(name, Buffer.from(x, 'base64url')),
    sign: (text) => Promise.resolve(sign(undefined, text, privateKey)),
  };
}

/** The tiles of a tree over these leaves. */
export function tilesOver(hashes: readonly Uint8Array[]): TileReader & { root: Uint8Array } {
  const builder = new TileBuilder(0);
  for (const hash of hashes) builder.append(hash);
  const tiles = new Map(builder.changes().map((tile) => [`${tile.level}/${tile.index}`, tile.hashes]));
  return {
    root: builder.root(),
    tile: ({ level, index, width }: Tile) => {
      const bytes = tiles.get(`${level}/${index}`)?.subarray(0, width * 32);
      return Promise.resolve(bytes?.length === width * 32 ? bytes : undefined);
    },
  };
}

/** A log in memory whose parts a test can change one by one. */
export class MemoryLog implements LogSource {
  entriesOf: Uint8Array[];
  #tiles: TileReader;
  notes: string[] = [];

  constructor(entries: readonly string[]) {
    this.entriesOf = entries.map((entry) => Buffer.from(entry));
    this.#tiles = tilesOver(this.entriesOf.map(leafHash));
  }

  /** Signs the head of the first `size` entries as they are now. */
  async sign({ key, sign: signer }: TestKey, size = this.entriesOf.length): Promise<string> {
    const root = tilesOver(this.entriesOf.slice(0, size).map(leafHash)).root;
    const { note } = await signCheckpoint({ size, root }, key, signer);
    this.notes.push(note);
    return note;
  }

  /** Makes the tiles follow from the entries again, as somebody would who covers up. */
  rehash(): void {
    this.#tiles = tilesOver(this.entriesOf.map(leafHash));
  }

  checkpoint(): Promise<string> {
    return Promise.resolve(this.notes.at(-1) ?? '');
  }

  checkpoints(): Promise<string[]> {
    return Promise.resolve(this.notes.slice(0, -1));
  }

  tile(tile: Tile): Promise<Uint8Array | undefined> {
    return this.#tiles.tile(tile);
  }

  entries(index: number, width: number): Promise<Uint8Array> {
    return Promise.resolve(encodeBundle(this.entriesOf.slice(index * TILE_WIDTH, index * TILE_WIDTH + width)));
  }
}

import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AuditError } from '../errors.ts';
import { TILE_WIDTH, tilePath, tilesOf, type Tile } from '../tree/tiles.ts';
import { openCheckpoint, type Checkpoint } from './checkpoint.ts';
import type { NoteKey } from './note.ts';
import type { LogSource } from './source.ts';

/** Files of an exported log beside the tiles; `history` is ours, the others are C2SP tlog-tiles. */
const FILES = { checkpoint: 'checkpoint', history: 'checkpoints' } as const;

/** A log in the layout of C2SP tlog-tiles. */
export class FolderSource implements LogSource {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async checkpoint(): Promise<string> {
    const note = await this.#read(FILES.checkpoint);
    if (note !== undefined) return note.toString('utf8');
    throw new AuditError('AUDIT_NOTE_INVALID', 'The folder has no checkpoint.', { field: FILES.checkpoint });
  }

  async checkpoints(): Promise<string[]> {
    const folder = join(this.#folder, FILES.history);
    const names = await readdir(folder).catch(() => []);
    return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  }

  async tile(tile: Tile): Promise<Uint8Array | undefined> {
    // A partial tile may have been completed since; its hashes are then the first ones of the full tile.
    const bytes = (await this.#read(tilePath(tile))) ?? (await this.#read(tilePath({ ...tile, width: TILE_WIDTH })));
    return bytes?.subarray(0, tile.width * 32);
  }

  async entries(index: number, width: number): Promise<Uint8Array> {
    const bundle = { level: 'entries', index, width } as const;
    return (await this.#read(tilePath(bundle))) ?? new Uint8Array();
  }

  async #read(path: string): Promise<Buffer | undefined> {
    try {
      return await readFile(join(this.#folder, path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

/**
 * Writes a log as files that any tlog-tiles client reads. The folder appears whole, or not at all. It holds no personal
 * data: entries commit to it under salts that stay behind.
 * @throws AuditError AUDIT_NOTE_INVALID, AUDIT_KEY_UNTRUSTED, AUDIT_RANGE_UNKNOWN
 */
export async function exportLog(source: LogSource, folder: string, keys: readonly NoteKey[]): Promise<Checkpoint> {
  const checkpoint = openCheckpoint(await source.checkpoint(), keys);
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  try {
    for (const tile of tilesOf(checkpoint.size)) {
      const hashes = await source.tile(tile);
      if (hashes === undefined) throw new AuditError('AUDIT_RANGE_UNKNOWN', `The log has no ${tilePath(tile)}.`);
      await write(join(partial, tilePath(tile)), hashes);
      if (tile.level > 0) continue;
      const { index, width } = tile;
      await write(join(partial, tilePath({ level: 'entries', index, width })), await source.entries(index, width));
    }
    for (const note of (await source.checkpoints?.()) ?? []) {
      const { size } = openCheckpoint(note, keys);
      if (size <= checkpoint.size) await write(join(partial, FILES.history, String(size)), Buffer.from(note));
    }
    await write(join(partial, FILES.checkpoint), Buffer.from(checkpoint.note));
    await rename(partial, folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
  return checkpoint;
}

async function write(file: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bytes);
}

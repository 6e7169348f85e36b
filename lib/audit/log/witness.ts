import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { AuditError } from '../errors.ts';
import { equal } from '../tree/hash.ts';
import { consistencyProof } from '../tree/proofs.ts';
import type { TileReader } from '../tree/tiles.ts';
import { verifyConsistency } from '../tree/verify-proofs.ts';
import { openCheckpoint, type Checkpoint, type TreeHead } from './checkpoint.ts';
import { parseVerifierKey } from './note.ts';

const Kept = z.record(z.string(), z.object({ keys: z.array(z.string()), note: z.string().optional() }));
type Kept = z.infer<typeof Kept>;

/** What a witness keeps of one log: the keys that it trusts, and the newest checkpoint that it saw. */
export interface Witnessed {
  /** Verifier keys. */
  readonly keys: readonly string[];
  readonly checkpoint?: Checkpoint;
}

/** Remembers the newest checkpoint of logs in a file, as a witness does: what was seen once cannot be taken back. */
export class Witness {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** @throws AuditError AUDIT_NOTE_INVALID where the file was damaged: to go on as if nothing was seen would be a hole */
  async recall(origin: string): Promise<Witnessed | undefined> {
    const entry = (await this.#read())[origin];
    if (entry === undefined) return undefined;
    const { keys, note } = entry;
    const trusted = keys.map(parseVerifierKey);
    return { keys, checkpoint: note === undefined ? undefined : openCheckpoint(note, trusted) };
  }

  async keep(checkpoint: Checkpoint, keys: readonly string[]): Promise<void> {
    const all = await this.#read();
    all[checkpoint.origin] = { keys: [...keys], note: checkpoint.note };
    await mkdir(dirname(this.#file), { recursive: true });
    await writeFileAtomic(this.#file, `${JSON.stringify(all, undefined, 2)}\n`, { mode: 0o600 });
  }

  async #read(): Promise<Kept> {
    try {
      return Kept.parse(JSON.parse(await readFile(this.#file, 'utf8')));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
      throw new AuditError('AUDIT_NOTE_INVALID', `The file of kept checkpoints cannot be read: ${this.#file}.`, {
        cause: error,
      });
    }
  }
}

/**
 * That `head` continues `older`, by the tiles of the log itself.
 * @throws AuditError AUDIT_LOG_TAMPERED
 */
export async function assertContinues(tiles: TileReader, older: TreeHead, head: TreeHead): Promise<void> {
  const same = older.size === head.size && equal(older.root, head.root);
  const grown =
    older.size < head.size &&
    verifyConsistency({
      from: older.size,
      to: head.size,
      fromRoot: older.root,
      toRoot: head.root,
      proof: await consistencyProof(tiles, older.size, head.size),
    });
  if (same || grown) return;
  throw new AuditError(
    'AUDIT_LOG_TAMPERED',
    `The tree of ${head.size} leaves does not continue the one of ${older.size} that was signed.`,
  );
}

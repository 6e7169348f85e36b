import type { TileReader } from '../tree/tiles.ts';
import type { AuditRecord } from './record.ts';

/** The personal half of a leaf as it is now. */
export type PersonalState =
  | { readonly record: AuditRecord; readonly salt: Uint8Array }
  /** Erased; the record of that id says why. */
  | { readonly erasedBy: string };

/** Where a log is read from: a database, a folder, a server. Nothing of it is believed before it is verified. */
export interface LogSource extends TileReader {
  /** The newest checkpoint, as a signed note. */
  checkpoint(): Promise<string>;
  /** Older checkpoints, smallest first; they narrow down where a rewritten log departs from what was signed. */
  checkpoints?(): Promise<readonly string[]>;
  /** Bundle of the leaves from `256 * index` on, `width` of them; shorter where leaves are missing. */
  entries(index: number, width: number): Promise<Uint8Array>;
  /** The personal halves of the same leaves, where the source has them. */
  personal?(index: number, width: number): Promise<readonly (PersonalState | undefined)[]>;
}

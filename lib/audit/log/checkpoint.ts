import { AuditError } from '../errors.ts';
import { HASH_BYTES } from '../tree/hash.ts';
import { openNote, signNote, type NoteKey, type NoteSigner } from './note.ts';

/** The head of a tree: how many leaves, and the hash over all of them. */
export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

export interface Checkpoint extends TreeHead {
  /** Names the log. */
  readonly origin: string;
  /** The signed note (C2SP tlog-checkpoint). */
  readonly note: string;
}

/** The three lines that are signed (C2SP tlog-checkpoint, "Note text"). */
function checkpointText(origin: string, { size, root }: TreeHead): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

/** The key's name is the log's origin. @throws what `sign` throws */
export async function signCheckpoint(head: TreeHead, key: NoteKey, sign: NoteSigner): Promise<Checkpoint> {
  const note = await signNote(checkpointText(key.name, head), key, sign);
  return { ...head, origin: key.name, note };
}

/**
 * @param keys that are trusted to sign for this log
 * @throws AuditError AUDIT_NOTE_INVALID, AUDIT_KEY_UNTRUSTED
 */
export function openCheckpoint(note: string, keys: readonly NoteKey[]): Checkpoint {
  const [origin = '', size = '', root = ''] = openNote(note, keys).split('\n');
  const hash = Buffer.from(root, 'base64');
  const leaves = /^(?:0|[1-9]\d*)$/.test(size) ? Number(size) : Number.NaN;
  if (origin === '' || !Number.isSafeInteger(leaves) || hash.length !== HASH_BYTES) {
    throw new AuditError('AUDIT_NOTE_INVALID', 'The note is no checkpoint.');
  }
  if (!keys.some(({ name }) => name === origin)) {
    throw new AuditError('AUDIT_KEY_UNTRUSTED', `The checkpoint is of another log: ${origin}.`);
  }
  return { origin, size: leaves, root: hash, note };
}

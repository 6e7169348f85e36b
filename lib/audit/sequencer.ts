import { setTimeout as delay } from 'node:timers/promises';
import { AuditError } from './errors.ts';
import { openCheckpoint, signCheckpoint, type Checkpoint, type TreeHead } from './log/checkpoint.ts';
import { formatVerifierKey, type NoteKey, type NoteSigner } from './log/note.ts';
import { assertContinues, type Witness } from './log/witness.ts';
import type { TileReader } from './tree/tiles.ts';

/** The tree as the sequencer works on it. */
export interface TreeStore extends TileReader {
  /**
   * Takes waiting records into the tree, about `limit` at most, in one transaction that at most one process runs at a
   * time.
   * @returns undefined while another process is at it
   */
  sequence(limit: number): Promise<{ readonly head: TreeHead; readonly taken: number } | undefined>;
  /** The newest signed note. */
  newestCheckpoint(): Promise<string | undefined>;
  saveCheckpoint(checkpoint: Checkpoint): Promise<void>;
}

export interface SequencerOptions {
  readonly store: TreeStore;
  /** Every usable version of the log's key, oldest first; the newest signs. */
  readonly keys: () => Promise<readonly NoteKey[]>;
  readonly sign: NoteSigner;
  /** What this process signed, outside the database. */
  readonly witness: Witness;
  /** Milliseconds between looks at the queue while it is empty. */
  readonly pause: number;
  /** Least milliseconds between two checkpoints. */
  readonly checkpointPause: number;
  readonly batch?: number;
  /** Hears of failures; work goes on after a pause. */
  readonly onError: (error: unknown) => void;
}

const BATCH = 4096;
const AFTER_FAILURE_MS = 1_000;

/** Orders records into the tree and signs its head. Any number may run: the store lets one at a time work. */
export class Sequencer {
  readonly #options: SequencerOptions;
  #signedAt = Number.NEGATIVE_INFINITY;
  #signedSize = -1;

  constructor(options: SequencerOptions) {
    this.#options = options;
  }

  /** Works until `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const pause = await this.#round().catch((error: unknown) => {
        this.#options.onError(error);
        return AFTER_FAILURE_MS;
      });
      if (pause > 0) await delay(pause, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Takes everything in that waits now, and signs the head. */
  async drain(): Promise<TreeHead | undefined> {
    for (;;) {
      const done = await this.#options.store.sequence(this.#batch);
      if (done === undefined) return undefined;
      if (done.taken > 0) continue;
      await this.#checkpoint(done.head);
      return done.head;
    }
  }

  get #batch(): number {
    return this.#options.batch ?? BATCH;
  }

  /** @returns milliseconds to wait before the next one */
  async #round(): Promise<number> {
    const { store, pause, checkpointPause } = this.#options;
    const done = await store.sequence(this.#batch);
    if (done === undefined) return pause;
    const due = performance.now() - this.#signedAt >= checkpointPause;
    if (due && done.head.size > this.#signedSize) await this.#checkpoint(done.head);
    return done.taken >= this.#batch ? 0 : pause;
  }

  /**
   * Signs a head that is committed: a log must never sign two heads of which one does not continue the other.
   * @throws AuditError AUDIT_LOG_TAMPERED when the database no longer continues what was signed
   */
  async #checkpoint(head: TreeHead): Promise<void> {
    if (head.size === 0) return;
    const { store, sign, witness } = this.#options;
    const keys = await this.#options.keys();
    const key = keys.at(-1);
    if (key === undefined) throw new AuditError('AUDIT_KEY_UNTRUSTED', 'The log has no key.');
    const stored = await store.newestCheckpoint();
    const older = [
      (await witness.recall(key.name))?.checkpoint,
      stored === undefined ? undefined : openCheckpoint(stored, keys),
    ].filter((checkpoint) => checkpoint !== undefined);
    for (const known of older) await assertContinues(store, known, head);
    const checkpoint = older.find(({ size }) => size === head.size) ?? (await signCheckpoint(head, key, sign));
    await witness.keep(checkpoint, keys.map(formatVerifierKey));
    await store.saveCheckpoint(checkpoint);
    this.#signedAt = performance.now();
    this.#signedSize = head.size;
  }
}

import { readFile, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Owner, lives } from './owner.ts';
import { finishSegment, readBatch, segmentsIn, type Batch } from './segment.ts';
import { OWNER_FILE, type Spool } from './spool.ts';

export interface ShipperOptions {
  readonly root: string;
  readonly spool: Spool;
  /** Puts records into the log, each of them once however often it comes. @param json array of spooled records */
  readonly send: (json: string) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

const IDLE_MS = 20;
/** Bytes that are shipped without waiting for more. */
const PLENTY = 512 * 1024;
const FAILED_MS = 500;
const LEFTOVERS_EVERY_MS = 30_000;
/** How long an orderly end waits for what is left. */
const LAST_MS = 5_000;

/** Moves records from spools into the log: its own process's, and those of processes that were killed. */
export class Shipper {
  readonly #options: ShipperOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ShipperOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ships what is left, for some seconds at most; what then remains another process ships. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    const { spool } = this.#options;
    const end = performance.now() + LAST_MS;
    while (spool.backlog > 0 && performance.now() < end) {
      await this.#round().catch(() => delay(100));
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const pause = await this.#round().catch((error: unknown) => {
        this.#options.onError(error);
        return FAILED_MS;
      });
      if (pause > 0) await delay(pause, undefined, { signal }).catch(() => undefined);
    }
  }

  /** @returns milliseconds to wait before the next one */
  async #round(): Promise<number> {
    const { spool } = this.#options;
    if (performance.now() - this.#lookedAt > LEFTOVERS_EVERY_MS) {
      await this.#shipLeftovers();
      this.#lookedAt = performance.now();
    }
    const shipped = await spool.ship((batch) => this.#send(batch));
    // Few are left to wait for more: a transaction costs the same for one record and for thousands.
    if (spool.backlog > PLENTY) return 0;
    if (shipped === 0) await spool.tidy();
    return IDLE_MS;
  }

  async #send({ json, count, damaged }: Batch): Promise<void> {
    if (count > 0) await this.#options.send(json);
    if (damaged > 0) this.#options.onError(new Error(`${damaged} lines of the audit spool are damaged`));
  }

  async #shipLeftovers(): Promise<void> {
    const { root, spool } = this.#options;
    for (const name of await readdir(root)) {
      const folder = join(root, name);
      if (folder === spool.folder || name.startsWith('.') || (await isOwned(folder))) continue;
      for (const file of await segmentsIn(folder)) await this.#shipFile(file);
      await rm(join(folder, OWNER_FILE), { force: true });
      // Damaged segments are kept, and their folder with them; another process may have been faster.
      await rmdir(folder).catch(() => undefined);
    }
  }

  async #shipFile(file: string): Promise<void> {
    const size = await stat(file).then(
      (found) => found.size,
      () => 0,
    );
    let damaged = false;
    for (let at = 0; ;) {
      const batch = await readBatch(file, at, size);
      if (batch === undefined) break;
      // A damaged last line is a torn one: it was never acknowledged.
      const torn = batch.end === size && batch.damaged === 1 && (await endsDamaged(file, at, size));
      await this.#send({ ...batch, damaged: torn ? 0 : batch.damaged });
      damaged ||= batch.damaged > 0 && !torn;
      at = batch.end;
    }
    await finishSegment(file, { damaged });
  }
}

/** That the last line of a range is the damaged one: without it none is. */
async function endsDamaged(file: string, start: number, size: number): Promise<boolean> {
  const without = await readBatch(file, start, size - 1);
  return without === undefined || without.damaged === 0;
}

/** A folder without a readable owner belongs to nobody who lives: folders appear together with their owner. */
async function isOwned(folder: string): Promise<boolean> {
  try {
    return lives(Owner.parse(JSON.parse(await readFile(join(folder, OWNER_FILE), 'utf8'))));
  } catch {
    return false;
  }
}

import { LRUCache } from 'lru-cache';
import { Bucket } from '../../../lib/limits/index.ts';
import { QueryDetector, type Suspicion, type Thresholds } from '../../../lib/misuse/index.ts';

/** A row that a caller asked, and what came of it. */
export interface SeenRow {
  readonly values: Float32Array;
  readonly predicted: number;
  readonly strange: boolean;
}

export interface Watched {
  readonly key: string;
  readonly width: number;
  readonly classes: number;
  readonly thresholds: Thresholds;
  readonly onSuspicion: (suspicion: Suspicion) => void;
}

/** Callers and models that are watched at a time, of 1 MiB at most each; the one longest silent makes room. */
const WATCHED = 64;
/** Rows a second of one caller and model that are looked at, and at once. */
const LOOK = { rate: 400, burst: 2_000 };
/** Rows that wait to be looked at. */
const QUEUE = 4_096;
/** Milliseconds that the event loop is held at a time. */
const SLICE_MS = 2;

interface Entry {
  readonly detector: QueryDetector;
  readonly look: Bucket;
}

/** Looks at what callers ask, after they are answered and in small pieces. What it cannot keep up with it leaves out. */
export class Watch {
  readonly #entries = new LRUCache<string, Entry>({ max: WATCHED });
  readonly #queue: { readonly watched: Watched; readonly row: SeenRow }[] = [];
  readonly #onSkipped: (rows: number) => void;
  #scheduled = false;
  #idle: (() => void)[] = [];

  constructor({ onSkipped }: { readonly onSkipped: (rows: number) => void }) {
    this.#onSkipped = onSkipped;
  }

  /** How many of so many rows will be looked at. */
  wanted(watched: Pick<Watched, 'key' | 'width' | 'classes'>, rows: number): number {
    const { look } = this.#entry(watched);
    const now = performance.now();
    const room = Math.min(rows, QUEUE - this.#queue.length);
    let count = 0;
    while (count < room && look.take(LOOK, now).allowed) count += 1;
    if (count < rows) this.#onSkipped(rows - count);
    return count;
  }

  add(watched: Watched, rows: readonly SeenRow[]): void {
    for (const row of rows) this.#queue.push({ watched, row });
    this.#schedule();
  }

  /** What was seen of a caller counts no more. */
  forget(key: string): void {
    for (const name of this.#entries.keys()) if (name.startsWith(`${key}\u0000`)) this.#entries.delete(name);
  }

  /** Settles when everything that was added before has been looked at. */
  settled(): Promise<void> {
    if (this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #entry({ key, width, classes }: Pick<Watched, 'key' | 'width' | 'classes'>): Entry {
    // A new version of a model may take other inputs.
    const name = `${key}\u0000${String(width)}`;
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = { detector: new QueryDetector({ width, classes }), look: new Bucket() };
      this.#entries.set(name, entry);
    }
    return entry;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#work());
  }

  #work(): void {
    this.#scheduled = false;
    const until = performance.now() + SLICE_MS;
    let done = 0;
    while (done < this.#queue.length && performance.now() < until) {
      const next = this.#queue[done];
      done += 1;
      if (next === undefined) continue;
      const { watched, row } = next;
      const suspicion = this.#entry(watched).detector.add(row, watched.thresholds);
      if (suspicion !== undefined) watched.onSuspicion(suspicion);
    }
    this.#queue.splice(0, done);
    if (this.#queue.length > 0) {
      this.#schedule();
      return;
    }
    for (const settled of this.#idle.splice(0)) settled();
  }
}

import { ApiError } from '../errors.ts';
import { haveOneShape, joined, rowsOf, split } from './batch.ts';
import type { Feeds } from './runtime/session.ts';
import type { TensorData } from './tensors.ts';

export type Outputs = Readonly<Record<string, TensorData>>;

/** Whether somebody still waits for an answer. */
export interface Patience {
  /** Why nobody does any more. Looked at when it matters, so that waiting costs nothing. */
  readonly over: Error | undefined;
}

export const PATIENT: Patience = { over: undefined };

/** Outputs of one request, and where its time went. Times are milliseconds of the monotonic clock. */
export interface Ran {
  readonly outputs: Outputs;
  readonly askedAt: number;
  /** When the runtime began with it. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Requests that shared the call. */
  readonly batch: number;
}

/** One request to a model: whether somebody waits for it and, once it was answered, how that went. */
export interface RunCall {
  readonly patience?: Patience;
  ran?: Ran;
}

export interface BatchLimits {
  /** Most rows of one call. */
  readonly rows: number;
  /** Longest wait for company, in milliseconds. */
  readonly delay: number;
  /** Most requests that wait. */
  readonly queue: number;
}

export interface BatcherOptions {
  readonly run: (feeds: Feeds, fetches: readonly string[]) => Promise<Outputs>;
  readonly limits: BatchLimits;
  /** Calls at the same time; default 1. */
  readonly lanes?: number;
}

interface Waiting {
  readonly feeds: Feeds;
  readonly fetches: readonly string[];
  readonly rows: number;
  readonly patience: Patience;
  readonly askedAt: number;
  readonly resolve: (ran: Ran) => void;
  readonly reject: (error: unknown) => void;
}

/** Weight of the newest batch in what is usual. */
const NEWEST = 0.2;
/** Less company than this share of the usual one is worth a wait. */
const LONELY = 0.75;

/**
 * Lets requests of one model version share calls of the runtime. What comes while a call runs goes into the next one, so
 * that a batch grows with the load and an idle model answers at once. Only where batches are usual, and the next one
 * would be small, it waits for company: half the time of a call, `limits.delay` at most.
 */
export class Batcher {
  readonly #options: Required<BatcherOptions>;
  readonly #queue: Waiting[] = [];
  #running = 0;
  #timer: NodeJS.Timeout | undefined;
  #scheduled = false;
  /** Requests of a batch, and milliseconds of a call, as they usually are now. */
  #company = 1;
  #took = 0;

  constructor(options: BatcherOptions) {
    this.#options = { lanes: 1, ...options };
  }

  /** Whether so many rows can have company. */
  takes(rows: number): boolean {
    return rows < this.#options.limits.rows;
  }

  /** @throws {ApiError} `UNAVAILABLE` at once where too many wait; why patience was over; what `run` throws */
  submit(feeds: Feeds, fetches: readonly string[], patience: Patience): Promise<Ran> {
    return new Promise((resolve, reject) => {
      if (this.#queue.length >= this.#options.limits.queue) {
        throw new ApiError('UNAVAILABLE', 'Too many predictions of this model are waiting.', {
          headers: { 'Retry-After': '1' },
        });
      }
      const asked = { feeds, fetches, patience, rows: rowsOf(feeds) };
      this.#queue.push({ ...asked, askedAt: performance.now(), resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    const { lanes, limits } = this.#options;
    if (this.#running >= lanes || this.#queue.length === 0) return;
    const delay = this.#queue.length < limits.rows ? this.#delay() : 0;
    if (delay >= 1) {
      this.#timer ??= setTimeout(() => this.#flush(), delay);
    } else if (!this.#scheduled) {
      // After what has come in this turn of the event loop was read.
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    }
  }

  #delay(): number {
    if (this.#company < 1.5 || this.#queue.length >= this.#company * LONELY) return 0;
    return Math.min(this.#options.limits.delay, this.#took / 2);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#scheduled = false;
    if (this.#running >= this.#options.lanes) return;
    const batch = this.#take();
    if (batch.length === 0) return;
    this.#running += 1;
    void this.#runBatch(batch).finally(() => {
      this.#running -= 1;
      this.#schedule();
    });
    this.#schedule();
  }

  /** The oldest request, and those behind it that can share its call. Who no longer waits costs no call. */
  #take(): Waiting[] {
    const batch: Waiting[] = [];
    const left: Waiting[] = [];
    let rows = 0;
    for (const waiting of this.#queue) {
      if (waiting.patience.over !== undefined) {
        waiting.reject(waiting.patience.over);
        continue;
      }
      const [first] = batch;
      const room = rows + waiting.rows <= this.#options.limits.rows;
      const fits = first === undefined || (room && haveOneShape(first.feeds, waiting.feeds));
      if (fits) {
        batch.push(waiting);
        rows += waiting.rows;
      } else left.push(waiting);
    }
    this.#queue.splice(0, this.#queue.length, ...left);
    return batch;
  }

  async #runBatch(batch: readonly Waiting[]): Promise<void> {
    const startedAt = performance.now();
    this.#company += NEWEST * (batch.length - this.#company);
    const [first] = batch;
    if (batch.length === 1 && first !== undefined) await this.#runAlone(first);
    else {
      // One request can spoil the call of all: then each gets its own, and its own error.
      await this.#runTogether(batch).catch(async () => {
        for (const waiting of batch) await this.#runAlone(waiting);
      });
    }
    this.#took += NEWEST * (performance.now() - startedAt - this.#took);
  }

  async #runAlone({ feeds, fetches, askedAt, resolve, reject }: Waiting): Promise<void> {
    const startedAt = performance.now();
    try {
      const outputs = await this.#options.run(feeds, fetches);
      resolve({ outputs, askedAt, startedAt, endedAt: performance.now(), batch: 1 });
    } catch (error) {
      reject(error);
    }
  }

  async #runTogether(batch: readonly Waiting[]): Promise<void> {
    const fetches = [...new Set(batch.flatMap((waiting) => waiting.fetches))];
    const startedAt = performance.now();
    const outputs = await this.#options.run(joined(batch.map(({ feeds }) => feeds)), fetches);
    const parts = split(
      outputs,
      batch.map(({ rows }) => rows),
    );
    const endedAt = performance.now();
    for (const [index, { fetches: own, askedAt, resolve }] of batch.entries()) {
      const part = parts[index] ?? {};
      const wanted = own.length === fetches.length ? part : pick(part, own);
      resolve({ outputs: wanted, askedAt, startedAt, endedAt, batch: batch.length });
    }
  }
}

function pick(outputs: Outputs, names: readonly string[]): Outputs {
  return Object.fromEntries(Object.entries(outputs).filter(([name]) => names.includes(name)));
}

import cluster, { type Worker } from 'node:cluster';
import { LRUCache } from 'lru-cache';
import { AggregatorRegistry } from 'prom-client';
import type { Logger } from '../http/error-handler.ts';
import { Upward, type Downward, type SharedSession } from './messages.ts';

export interface PrimaryOptions {
  readonly count: number;
  readonly logger: Logger;
  /** Called once every process has ended, or when starting them again will not help. */
  readonly onEnd: (exitCode: number) => void;
}

/** sysexits.h, EX_CONFIG. */
const EX_CONFIG = 78;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A process that lived so long had started well. */
const STABLE_MS = 60_000;
const MAX_SESSIONS = 1_000;

/**
 * Starts processes of the API that share its port, and starts those again that end. They are equals: what one of them
 * cannot know alone (sessions of browsers, metrics of all) goes through here. This process answers nothing itself.
 */
export class Primary {
  readonly #options: PrimaryOptions;
  readonly #sessions = new LRUCache<string, SharedSession>({ max: MAX_SESSIONS });
  readonly #metrics = new AggregatorRegistry();
  readonly #startedAt = new Map<number, number>();
  #crashes = 0;
  #stopping = false;
  #failed = false;

  constructor(options: PrimaryOptions) {
    this.#options = options;
  }

  start(): void {
    cluster.on('message', (worker, message: unknown) => {
      const parsed = Upward.safeParse(message);
      if (parsed.success) this.#take(worker, parsed.data);
    });
    cluster.on('exit', (worker, code, signal) => this.#ended(worker, code, signal));
    for (let started = 0; started < this.#options.count; started += 1) this.#fork();
  }

  /** Asks every process to stop in order. */
  stop(): void {
    this.#stopping = true;
    const workers = Object.values(cluster.workers ?? {});
    if (workers.length === 0) this.#options.onEnd(0);
    for (const worker of workers) worker?.process.kill('SIGTERM');
  }

  #fork(): void {
    if (this.#stopping) return;
    const worker = cluster.fork();
    this.#startedAt.set(worker.id, Date.now());
    worker.once('online', () => {
      for (const session of this.#sessions.values()) tell(worker, { type: 'saip:session', session });
    });
  }

  #take(from: Worker, message: Upward): void {
    if (message.type === 'saip:scrape') {
      const { id } = message;
      this.#metrics.clusterMetrics().then(
        (text) => tell(from, { type: 'saip:scraped', id, text }),
        () => tell(from, { type: 'saip:scraped', id }),
      );
      return;
    }
    const { session } = message;
    if (session.caller === undefined) this.#sessions.delete(session.fingerprint);
    else this.#sessions.set(session.fingerprint, session);
    for (const worker of Object.values(cluster.workers ?? {})) {
      if (worker !== undefined && worker.id !== from.id) tell(worker, message);
    }
  }

  #ended(worker: Worker, code: number | null, signal: string | null): void {
    const { logger, onEnd } = this.#options;
    const lived = Date.now() - (this.#startedAt.get(worker.id) ?? 0);
    this.#startedAt.delete(worker.id);
    if (this.#stopping) {
      // One that had not come up yet does not know the signal.
      this.#failed ||= code !== 0 && signal !== 'SIGTERM';
      if (this.#startedAt.size === 0) onEnd(this.#failed ? 1 : 0);
      return;
    }
    if (code === EX_CONFIG) {
      this.stop();
      onEnd(EX_CONFIG);
      return;
    }
    this.#crashes = lived > STABLE_MS ? 1 : this.#crashes + 1;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#crashes - 1));
    logger.error({ pid: worker.process.pid, code, signal, pause }, 'a process of the API ended; it is started again');
    setTimeout(() => this.#fork(), pause);
  }
}

function tell(worker: Worker, message: Downward): void {
  // One that is just ending hears it no more.
  if (worker.isConnected()) worker.send(message);
}

import { Worker } from 'node:worker_threads';
import { ApiError } from '../../errors.ts';
import { apart, buffersOf, type TensorData } from '../tensors.ts';
import type { Feeds, SessionSettings } from './session.ts';
import type { ThreadReply, ThreadRequest } from './thread-messages.ts';

/** Calls that may wait for one thread; more are refused at once instead of piling up. */
const MAX_PENDING = 64;

interface Pending {
  resolve(outputs: Readonly<Record<string, TensorData>> | undefined): void;
  reject(error: Error): void;
}

interface Thread {
  readonly worker: Worker;
  readonly pending: Map<number, Pending>;
  /** Model key → its load, so that concurrent first calls wait for one load. */
  readonly loads: Map<string, Promise<unknown>>;
}

type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;

/** A fixed number of threads for calls that would hold the event loop too long. Threads start with the first call. */
export class ThreadPool {
  readonly #threads: (Thread | undefined)[];
  readonly #settings: SessionSettings;
  #nextId = 0;

  constructor(options: { size: number; settings: SessionSettings }) {
    this.#threads = Array.from({ length: options.size }, () => undefined);
    this.#settings = options.settings;
  }

  get size(): number {
    return this.#threads.length;
  }

  /**
   * Runs the model `key` on the least busy thread, which loads it from `bytes` on its first call.
   * @throws {ApiError} `UNAVAILABLE` when every thread has too many calls waiting or a thread dies
   */
  async run(
    key: string,
    bytes: Uint8Array,
    feeds: Feeds,
    fetches: readonly string[],
  ): Promise<Readonly<Record<string, TensorData>>> {
    const thread = this.#leastBusy();
    if (thread.pending.size >= MAX_PENDING) {
      throw new ApiError('UNAVAILABLE', 'Too many large predictions are waiting.', { headers: { 'Retry-After': '1' } });
    }
    await this.#loaded(thread, key, bytes);
    const own = apart(feeds);
    const outputs = await this.#send(thread, { kind: 'run', key, feeds: own, fetches }, buffersOf(own));
    return outputs ?? {};
  }

  /** Frees the model on every thread that loaded it. */
  async unload(key: string): Promise<void> {
    const holders = this.#threads.filter((thread) => thread?.loads.has(key) === true);
    await Promise.allSettled(
      holders.map(async (thread) => {
        thread?.loads.delete(key);
        if (thread) await this.#send(thread, { kind: 'unload', key });
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.flatMap((thread) => (thread ? [thread.worker.terminate()] : [])));
  }

  #loaded(thread: Thread, key: string, bytes: Uint8Array): Promise<unknown> {
    const running = thread.loads.get(key);
    if (running) return running;
    const load = this.#send(thread, { kind: 'load', key, bytes, settings: this.#settings });
    thread.loads.set(key, load);
    load.catch(() => thread.loads.delete(key));
    return load;
  }

  #leastBusy(): Thread {
    let best: Thread | undefined;
    for (let index = 0; index < this.#threads.length; index += 1) {
      const thread = (this.#threads[index] ??= this.#start(index));
      if (!best || thread.pending.size < best.pending.size) best = thread;
      if (best.pending.size === 0) return best;
    }
    if (!best) throw new ApiError('UNAVAILABLE', 'No inference thread is configured.');
    return best;
  }

  #start(index: number): Thread {
    const worker = new Worker(new URL('./thread.ts', import.meta.url), { name: `inference-${String(index)}` });
    const thread: Thread = { worker, pending: new Map(), loads: new Map() };
    worker.on('message', (reply: ThreadReply) => {
      const call = thread.pending.get(reply.id);
      thread.pending.delete(reply.id);
      if (thread.pending.size === 0) worker.unref();
      if (reply.ok) call?.resolve(reply.outputs);
      else call?.reject(new Error(reply.message));
    });
    const died = (cause?: unknown): void => {
      if (this.#threads[index] === thread) this.#threads[index] = undefined;
      const error = new ApiError('UNAVAILABLE', 'The inference thread ended; try again.', { cause });
      for (const call of thread.pending.values()) call.reject(error);
      thread.pending.clear();
    };
    worker.on('error', died);
    worker.on('exit', () => {
      died();
    });
    worker.unref();
    return thread;
  }

  #send(
    thread: Thread,
    request: Unnumbered<ThreadRequest>,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Readonly<Record<string, TensorData>> | undefined> {
    this.#nextId += 1;
    const id = this.#nextId;
    return new Promise((resolve, reject) => {
      thread.pending.set(id, { resolve, reject });
      // Somebody waits: until then the process does not end by itself.
      thread.worker.ref();
      thread.worker.postMessage({ ...request, id }, transfer);
    });
  }
}

import type { TensorMetadata } from '../../contracts/inference.ts';
import type { ModelFacts } from '../../contracts/registry.ts';
import { ApiError } from '../errors.ts';
import { rowsOf } from './batch.ts';
import { Batcher, PATIENT, type BatchLimits, type Outputs, type Patience, type Ran, type RunCall } from './batcher.ts';
import { measure, type Cost } from './cost.ts';
import { traceRun } from './spans.ts';
import { zeros } from './tensors.ts';
import { OrtSession, type Feeds, type SessionSettings } from './runtime/session.ts';
import type { ThreadPool } from './runtime/thread-pool.ts';

const INLINE_BUDGET_MS = 2;
/** Calls of several rows must let through so many times as many requests. */
const WORTH_IT = 1.2;

export interface LoadOptions {
  readonly model: string;
  readonly version: string;
  readonly digest: string;
  /** The verified ONNX file. */
  readonly bytes: Uint8Array;
  /** What was signed with it. */
  readonly facts?: ModelFacts | undefined;
  readonly settings: SessionSettings;
  readonly threads: ThreadPool;
  /** Milliseconds that a call may hold the event loop; default 2. */
  readonly inlineBudget?: number;
  /** Default: every request has a call of its own. */
  readonly batching?: BatchSettings;
}

/** When requests share calls: `auto` where it was measured to be worth it, when the model was loaded. */
export interface BatchSettings extends BatchLimits {
  readonly mode: 'auto' | 'on' | 'off';
}

/**
 * A verified model that is ready to answer. Requests that hold a reference finish after `retire()`; the session is
 * freed when the last one is done.
 */
export class LoadedModel {
  readonly model: string;
  readonly version: string;
  readonly digest: string;
  readonly facts: ModelFacts | undefined;
  readonly #bytes: Uint8Array;
  readonly #session: OrtSession;
  readonly #threads: ThreadPool;
  readonly #cost: Cost;
  readonly #budget: number;
  readonly #batcher: Batcher | undefined;
  #inFlight = 0;
  #retired = false;
  #freed = false;

  private constructor(options: LoadOptions, session: OrtSession, cost: Cost) {
    this.model = options.model;
    this.version = options.version;
    this.digest = options.digest;
    this.facts = options.facts;
    this.#bytes = options.bytes;
    this.#threads = options.threads;
    this.#session = session;
    this.#cost = cost;
    this.#budget = options.inlineBudget ?? INLINE_BUDGET_MS;
    this.#batcher = this.#batcherFor(options.batching);
  }

  /**
   * Loads the graph, measures what a call costs, and warms up what will answer.
   * @throws {ApiError} `MODEL_LOAD_FAILED`
   */
  static async load(options: LoadOptions): Promise<LoadedModel> {
    try {
      const session = await OrtSession.create(options.bytes, options.settings);
      const model = new LoadedModel(options, session, await measure(session));
      await model.#warmUp(options.batching?.rows ?? 1);
      return model;
    } catch (error) {
      throw new ApiError('MODEL_LOAD_FAILED', `ONNX Runtime cannot run ${options.model} ${options.version}.`, {
        cause: error,
      });
    }
  }

  get inputs(): readonly TensorMetadata[] {
    return this.#session.inputs;
  }

  get outputs(): readonly TensorMetadata[] {
    return this.#session.outputs;
  }

  /** True when a call with so many rows would hold the event loop too long. */
  isHeavy(rows: number): boolean {
    return this.#cost.base + this.#cost.row * rows > this.#budget;
  }

  /** Whether requests share calls of the runtime. */
  get batches(): boolean {
    return this.#batcher !== undefined;
  }

  /**
   * The outputs of one request; `call` is told how it went.
   * @throws {ApiError} `MODEL_NOT_READY` once it is freed, `UNAVAILABLE` where too many wait; why patience was over
   */
  async run(feeds: Feeds, fetches: readonly string[], call: RunCall = {}): Promise<Outputs> {
    const { patience = PATIENT } = call;
    if (this.#freed) {
      throw new ApiError('MODEL_NOT_READY', `${this.model} ${this.version} is no longer loaded.`);
    }
    this.#inFlight += 1;
    try {
      const ran =
        this.#batcher?.takes(rowsOf(feeds)) === true
          ? await this.#batcher.submit(feeds, fetches, patience)
          : await this.#performAlone(feeds, fetches, patience);
      traceRun(ran, this);
      call.ran = ran;
      return ran.outputs;
    } finally {
      this.#inFlight -= 1;
      if (this.#retired) await this.#freeWhenIdle();
    }
  }

  async retire(): Promise<void> {
    this.#retired = true;
    await this.#freeWhenIdle();
  }

  async #performAlone(feeds: Feeds, fetches: readonly string[], patience: Patience): Promise<Ran> {
    if (patience.over !== undefined) throw patience.over;
    const startedAt = performance.now();
    const outputs = await this.#call(feeds, fetches);
    return { outputs, askedAt: startedAt, startedAt, endedAt: performance.now(), batch: 1 };
  }

  #call(feeds: Feeds, fetches: readonly string[]): Promise<Outputs> {
    if (!this.isHeavy(rowsOf(feeds))) return this.#session.run(feeds, fetches);
    return this.#threads.run(this.#key, this.#bytes, feeds, fetches);
  }

  #batcherFor(batching: BatchSettings | undefined): Batcher | undefined {
    const { gain } = this.#cost;
    if (batching === undefined || batching.mode === 'off' || gain < (batching.mode === 'on' ? 1 : WORTH_IT))
      return undefined;
    // Calls in this thread come one after the other; those in others side by side.
    const lanes = this.isHeavy(batching.rows) ? this.#threads.size : 1;
    return new Batcher({ limits: batching, lanes, run: (feeds, fetches) => this.#call(feeds, fetches) });
  }

  /** A thread loads the model with its first call: that is to be none of a client's. */
  async #warmUp(rows: number): Promise<void> {
    const most = this.#batcher === undefined ? 1 : rows;
    if (!this.isHeavy(most)) return;
    const feeds = Object.fromEntries(this.inputs.map((input) => [input.name, zeros(input, most)]));
    const fetches = this.outputs.map(({ name }) => name);
    await this.#threads.run(this.#key, this.#bytes, feeds, fetches);
  }

  get #key(): string {
    return `${this.model}/${this.version}/${this.digest}`;
  }

  async #freeWhenIdle(): Promise<void> {
    if (!this.#retired || this.#inFlight > 0 || this.#freed) return;
    this.#freed = true;
    await Promise.allSettled([this.#session.release(), this.#threads.unload(this.#key)]);
  }
}

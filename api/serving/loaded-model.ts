import { performance } from 'node:perf_hooks';
import type { TensorMetadata } from '../../contracts/inference.ts';
import type { ModelFacts } from '../../contracts/registry.ts';
import { ApiError } from '../errors.ts';
import { zeros, type TensorData } from './tensors.ts';
import { OrtSession, type Feeds, type SessionSettings } from './runtime/session.ts';
import type { ThreadPool } from './runtime/thread-pool.ts';

const INLINE_BUDGET_MS = 2;
const WARM_UP_ROWS = 8;
const WARM_UP_CALLS = 3;

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
}

/** Milliseconds: `base` for any call plus `row` for each entry of the first axis. */
interface Cost {
  readonly base: number;
  readonly row: number;
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
  }

  /**
   * Loads the graph and runs it on zeros, once to compile and then to measure what a call costs.
   * @throws {ApiError} `MODEL_LOAD_FAILED`
   */
  static async load(options: LoadOptions): Promise<LoadedModel> {
    try {
      const session = await OrtSession.create(options.bytes, options.settings);
      return new LoadedModel(options, session, await measure(session));
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

  async run(feeds: Feeds, fetches: readonly string[]): Promise<Readonly<Record<string, TensorData>>> {
    if (this.#freed) {
      throw new ApiError('MODEL_NOT_READY', `${this.model} ${this.version} is no longer loaded.`);
    }
    this.#inFlight += 1;
    try {
      const rows = Math.max(1, ...Object.values(feeds).map(({ dims }) => dims[0] ?? 1));
      if (!this.isHeavy(rows)) return await this.#session.run(feeds, fetches);
      return await this.#threads.run(this.#key, this.#bytes, feeds, fetches);
    } finally {
      this.#inFlight -= 1;
      await this.#freeWhenIdle();
    }
  }

  async retire(): Promise<void> {
    this.#retired = true;
    await this.#freeWhenIdle();
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

async function measure(session: OrtSession): Promise<Cost> {
  const one = await fastest(session, 1);
  const batched = session.inputs.every(({ shape }) => shape[0] === -1);
  if (!batched) return { base: one, row: 0 };
  const many = await fastest(session, WARM_UP_ROWS);
  const row = Math.max(0, (many - one) / (WARM_UP_ROWS - 1));
  return { base: Math.max(0, one - row), row };
}

/** The fastest of some calls: what the graph costs when nothing else disturbs it. */
async function fastest(session: OrtSession, rows: number): Promise<number> {
  const feeds = Object.fromEntries(session.inputs.map((input) => [input.name, zeros(input, rows)]));
  const fetches = session.outputs.map(({ name }) => name);
  await session.run(feeds, fetches);
  let best = Number.POSITIVE_INFINITY;
  for (let call = 0; call < WARM_UP_CALLS; call += 1) {
    const startedAt = performance.now();
    await session.run(feeds, fetches);
    best = Math.min(best, performance.now() - startedAt);
  }
  return best;
}

import { runChild } from '../../heavy/index.ts';
import type { ReplicaInput, ReplicaResult } from '../children/replica.ts';
import { tensorFlowEnvironment } from '../device.ts';
import { MlError } from '../errors.ts';
import { createExchange, Exchange } from './exchange.ts';
import type { TrainingJob } from './job.ts';

const ENTRY = new URL('../children/replica.ts', import.meta.url);
/** Replicas are silent while they train; their leader is watched instead. The longest time a timer can take. */
const NEVER_SILENT_MS = 2 ** 31 - 1;

/** The leader's view of the other replicas: processes of its own group, so that they die with it. */
export class Team {
  readonly #runs: readonly Promise<ReplicaResult>[];
  readonly #ready: Promise<unknown>;
  readonly #folder: string;
  readonly #length: number;
  readonly #ranks: number;

  /** Starts ranks 1 … replicas - 1. @param length most numbers in one exchanged vector */
  constructor(job: TrainingJob, length: number) {
    this.#ranks = job.plan.replicas;
    this.#length = length;
    this.#folder = createExchange(this.#ranks, length);
    const ranks = Array.from({ length: this.#ranks - 1 }, (_, index) => index + 1);
    const ready = ranks.map(() => Promise.withResolvers<void>());
    this.#runs = ranks.map((rank, index) =>
      runChild<ReplicaResult, 'ready'>({
        entry: ENTRY,
        input: { job, exchange: this.#exchangeOptions(rank) } satisfies ReplicaInput,
        env: tensorFlowEnvironment(job.plan.threads),
        sameGroup: true,
        silenceMs: NEVER_SILENT_MS,
        onReport: () => ready[index]?.resolve(),
        onOutput: (line) => process.stderr.write(`replica ${rank}: ${line}\n`),
      }),
    );
    const failed = Promise.all(this.#runs);
    failed.catch(() => undefined);
    this.#ready = Promise.race([failed, Promise.all(ready.map(({ promise }) => promise))]);
    this.#ready.catch(() => undefined);
  }

  /** Waits until all are ready. @throws the error of a replica that failed before */
  async meet(): Promise<Exchange> {
    await this.#ready;
    return Exchange.open(this.#exchangeOptions(0));
  }

  /** Waits for the ends of all and returns the largest of their memories. @throws the first replica's error */
  async end(): Promise<number> {
    const results = await Promise.all(this.#runs);
    return Math.max(0, ...results.map(({ peakRssBytes }) => peakRssBytes));
  }

  /** A rank that lost another one asks here why: returns that one's own error where it still could tell. */
  async explain(error: unknown): Promise<unknown> {
    if (!(error instanceof MlError) || error.code !== 'CHILD_CRASHED') return error;
    return Promise.race(this.#runs.map((run) => run.then(() => error))).catch((reason: unknown) => reason);
  }

  #exchangeOptions(rank: number): { folder: string; rank: number; ranks: number; length: number } {
    return { folder: this.#folder, rank, ranks: this.#ranks, length: this.#length };
  }
}

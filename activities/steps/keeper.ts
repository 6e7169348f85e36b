import type { CachedStage, StepEnvironment, StepKeeping } from '../../contracts/step-cache.ts';
import type { StageCode, StepCache } from '../../lib/stepcache/index.ts';

export interface StepKeeperOptions {
  readonly cache: Pick<StepCache, 'keep'>;
  readonly environment: StepEnvironment;
  /** Code of the stages that this worker runs, as it was when the worker started. */
  readonly code: Readonly<Partial<Record<CachedStage, StageCode>>>;
  /** Hears of a result that could not be kept. */
  readonly onError: (error: unknown, stage: CachedStage) => void;
}

/** Keeps what this worker made, under its own environment and code. */
export class StepKeeper {
  readonly #options: StepKeeperOptions;

  constructor(options: StepKeeperOptions) {
    this.#options = options;
  }

  /** The stage has succeeded: not being able to keep its result must not make it fail. */
  async keep(stage: CachedStage, args: { readonly keep?: StepKeeping }, output: unknown): Promise<void> {
    const { cache, environment, code, onError } = this.#options;
    const { keep: keeping, ...rest } = args;
    if (keeping === undefined || code[stage] === undefined) return;
    try {
      await cache.keep({ stage, args: rest, output, keeping, environment, code: code[stage] });
    } catch (error) {
      onError(error, stage);
    }
  }

  /**
   * Whether a training ran as this worker's environment says: on its class of device, with its replicas and threads,
   * and without a split of the micro-batch. One that was begun elsewhere, or met the end of the memory, has other last
   * bits, and is not kept.
   * @param tags of the training (activities/training/tags.ts)
   */
  isAsPlanned(tags: Readonly<Record<string, string>>, batchSize: number): boolean {
    const { deviceClass, replicas, threads } = this.#options.environment;
    return (
      tags['device.class'] === deviceClass &&
      tags['replicas'] === String(Math.min(Number(replicas), batchSize)) &&
      tags['threads'] === String(threads) &&
      tags['batch.split'] === '1'
    );
  }
}

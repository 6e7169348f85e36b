import { isCancellation, patched } from '@temporalio/workflow';
import type { RunContext } from '../../contracts/activities.ts';
import { TRAIN_STAGES } from '../../contracts/train-register-deploy.ts';
import type { TrainInput, TrainStage } from '../../contracts/train-register-deploy.ts';
import type { CachedStage, ReusedSteps, StepAnswer, StepKeeping, StepProducer } from '../../contracts/step-cache.ts';
import type { Activities } from '../shared/activities.ts';
import { describeFailure } from '../shared/failures.ts';
import type { Run } from '../shared/run.ts';

/** Runs from before there was a cache go on without it. */
const PATCH = 'step-cache';
/** Digits of a run's id that a line shows. */
const SHORT = 8;

export interface StepsOptions {
  readonly input: TrainInput;
  readonly context: RunContext;
  readonly run: Run<TrainStage>;
  readonly activities: Pick<Activities, 'steps'>;
}

export interface ReusableStage<A extends object, T> {
  /** Arguments of the stage's activity. */
  readonly args: A;
  /** What decides the result beside the arguments. */
  readonly also?: Readonly<Record<string, string>>;
  /** Runs the stage. `args.keep` says that, and for whom, its result may be kept. */
  readonly work: (args: A & { keep?: StepKeeping }) => Promise<T>;
  /** One line about the result. */
  readonly describe: (result: T) => string;
}

/** Stages of a training that an earlier run may have done already. */
export class Steps {
  readonly #options: StepsOptions;
  readonly #active: boolean;
  readonly #reused: { [S in CachedStage]?: StepProducer } = {};

  constructor(options: StepsOptions) {
    this.#options = options;
    this.#active = patched(PATCH) && options.input.cache.mode === 'use';
  }

  /** Stages whose results came from earlier runs, so far. */
  get reused(): ReusedSteps {
    return { ...this.#reused };
  }

  /** Takes a kept result that is whole, or else runs the stage. */
  stage<A extends object, T>(name: CachedStage, { args, also, work, describe }: ReusableStage<A, T>): Promise<T> {
    let notes: readonly string[] = [];
    return this.#options.run.stage(
      name,
      async () => {
        const { found, dropped } = await this.#find(name, { ...args, ...also });
        notes = dropped;
        if (found === undefined) return work({ ...args, ...this.#keep(name) });
        const { workflowId, runId, output } = found;
        this.#reused[name] = { workflowId, runId };
        // Parsed by the activity, under the stage's own schema.
        return output as T;
      },
      (result) => {
        const from = this.#reused[name];
        const detail = [describe(result), ...notes].join(' · ');
        if (from === undefined) return detail;
        return {
          status: 'reused',
          detail: `reused from ${from.workflowId} (run ${from.runId.slice(0, SHORT)}) · ${detail}`,
        };
      },
    );
  }

  async #find(stage: CachedStage, args: Readonly<Record<string, unknown>>): Promise<StepAnswer> {
    const { input, activities } = this.#options;
    if (!this.#active || this.#isAnew(stage)) return { dropped: [] };
    try {
      return await activities.steps(`Kept result of ${stage}`).findStep({ tenant: input.tenant, stage, args });
    } catch (error) {
      if (isCancellation(error)) throw error;
      // What can be made again is not worth a failure.
      return { dropped: [`kept results cannot be looked up (${describeFailure(error)})`] };
    }
  }

  #keep(stage: CachedStage): { keep?: StepKeeping } {
    if (!this.#active) return {};
    const { input, context } = this.#options;
    const { key: workflowId, runId } = context;
    return { keep: { tenant: input.tenant, workflowId, runId, refresh: this.#isAnew(stage) } };
  }

  /** Whether the request wants this stage to run, whatever is kept. */
  #isAnew(stage: CachedStage): boolean {
    const { from } = this.#options.input.cache;
    return from !== undefined && TRAIN_STAGES.indexOf(stage) >= TRAIN_STAGES.indexOf(from);
  }
}

import type { ArtifactRef } from '../../contracts/reference.ts';
import type { CachedStage, StepAnswer, StepEnvironment, StepKeeping, StepQuery } from '../../contracts/step-cache.ts';
import { ArtifactError } from '../artifacts/index.ts';
import type { ArtifactStore } from '../artifacts/index.ts';
import type { KeptStep, StepStore } from '../clients/index.ts';
import type { StageCode } from './code.ts';
import { inputsOf, stepKey } from './key.ts';
import type { KeyMaterial } from './key.ts';
import { isSealed, sealedText } from './seal.ts';
import type { StepHmac } from './seal.ts';
import { artifactsOf, isOutput } from './outputs.ts';

/** Whose workers run the stage. */
export const STAGE_POOLS: Readonly<Record<CachedStage, 'cpu' | 'gpu'>> = {
  prepareData: 'cpu',
  train: 'gpu',
  evaluate: 'gpu',
  exportOnnx: 'cpu',
};

export interface StepCacheOptions {
  readonly steps: Pick<StepStore, 'liveWorkers' | 'claim' | 'drop' | 'keep'>;
  readonly artifacts: Pick<ArtifactStore, 'path' | 'readJson'>;
  /** Days that a result is kept after its last use. */
  readonly days: number;
  /** Vouches for what is kept. */
  readonly hmac: StepHmac;
  /** Hears of an entry that nobody vouched for, after it was dropped. */
  readonly onForged: (entry: KeptStep) => Promise<void>;
}

export interface NewStep {
  readonly stage: CachedStage;
  readonly args: Readonly<Record<string, unknown>>;
  readonly output: unknown;
  readonly keeping: StepKeeping;
  readonly environment: StepEnvironment;
  readonly code: StageCode;
}

/** Results of stages by the digest of all that decides them. */
export class StepCache {
  readonly #options: StepCacheOptions;

  constructor(options: StepCacheOptions) {
    this.#options = options;
  }

  /**
   * Looks for a result that one of the workers which now poll would have made. Every artifact of it is read and
   * compared with its digest; an entry that is not whole, or that nobody vouches for, is dropped, and the next one is
   * tried.
   * @throws DatabaseError, BaoError, and the system errors of the artifact store
   */
  async find({ tenant, stage, args }: StepQuery): Promise<StepAnswer> {
    const { steps, days, hmac, onForged } = this.#options;
    const inputs = inputsOf(stage, args);
    const workers = await steps.liveWorkers(STAGE_POOLS[stage]);
    const keys = workers.flatMap(({ environment, code: { [stage]: code } }) =>
      code === undefined ? [] : [stepKey({ schema: 1, tenant, stage, inputs, environment, code })],
    );
    const dropped: string[] = [];
    for (const entry of await steps.claim([...new Set(keys)], days)) {
      const forged = !(await isSealed(entry, hmac));
      const damage = forged ? 'nobody vouches for it' : await this.#damage(entry);
      const { workflowId, runId, output } = entry;
      if (damage === undefined) return { found: { workflowId, runId, output }, dropped };
      await steps.drop(entry.key);
      if (forged) await onForged(entry);
      dropped.push(`the result of ${workflowId} was dropped: ${damage}`);
    }
    return { dropped };
  }

  /**
   * Keeps a result under its key; of two writers the first one stays. Nothing is kept when a file of the code has
   * changed since the worker read it: nobody could say which code ran.
   * @returns whether it was kept now
   */
  async keep({ stage, args, output, keeping, environment, code }: NewStep): Promise<boolean> {
    if (!isOutput(stage, output) || !(await code.unchanged())) return false;
    const { steps, artifacts, days, hmac } = this.#options;
    const { tenant, refresh, workflowId, runId } = keeping;
    const material: KeyMaterial = {
      schema: 1,
      tenant,
      stage,
      inputs: inputsOf(stage, args),
      environment,
      code: code.sha256,
    };
    const refs = await artifactsOf(stage, output, artifacts);
    const step = { key: stepKey(material), tenant, stage, output, artifacts: refs, material, workflowId, runId };
    return steps.keep({ ...step, mac: await hmac(sealedText(step)), days, refresh });
  }

  async #damage({ stage, output, artifacts }: KeptStep): Promise<string | undefined> {
    if (!isOutput(stage, output)) return 'it does not have the form of a result';
    for (const ref of artifacts) {
      const damage = await this.#damageOf(ref);
      if (damage !== undefined) return damage;
    }
    return undefined;
  }

  async #damageOf(ref: ArtifactRef): Promise<string | undefined> {
    try {
      await this.#options.artifacts.path(ref);
      return undefined;
    } catch (error) {
      if (error instanceof ArtifactError) return error.message;
      throw error;
    }
  }
}

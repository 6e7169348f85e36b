import type { CpuActivities, GpuActivities } from '../../contracts/activities.ts';
import type { StepCache } from '../../lib/stepcache/index.ts';
import type { StepKeeper } from './keeper.ts';

export { StepKeeper, type StepKeeperOptions } from './keeper.ts';

export interface StepDependencies {
  readonly cache: Pick<StepCache, 'find'>;
}

export function createStepActivities({ cache }: StepDependencies): Pick<CpuActivities, 'findStep'> {
  return { findStep: (query) => cache.find(query) };
}

type CpuStages = Pick<CpuActivities, 'prepareData' | 'exportOnnx'>;
type GpuStages = Pick<GpuActivities, 'trainModel' | 'evaluateModel'>;

/** The stages of the cpu pool, whose results are kept when they succeed. */
export function keepingCpu({ prepareData, exportOnnx }: CpuStages, keeper: StepKeeper): CpuStages {
  return {
    async prepareData(args) {
      const output = await prepareData(args);
      // The files were verified once more as they were read: these digests are of what was prepared.
      const { cardSha256, dataSha256 } = output;
      const found = { cardSha256, dataSha256 };
      await keeper.keep('prepareData', { ...args, ...found }, output);
      return output;
    },
    async exportOnnx(args) {
      const output = await exportOnnx(args);
      await keeper.keep('exportOnnx', args, output);
      return output;
    },
  };
}

/** The stages of the gpu pool, whose results are kept when they succeed. */
export function keepingGpu({ trainModel, evaluateModel }: GpuStages, keeper: StepKeeper): GpuStages {
  return {
    async trainModel(args) {
      const output = await trainModel(args);
      if (!('continue' in output) && keeper.isAsPlanned(output.tags, args.training.batchSize)) {
        await keeper.keep('train', args, output);
      }
      return output;
    },
    async evaluateModel(args) {
      const output = await evaluateModel(args);
      await keeper.keep('evaluate', args, output);
      return output;
    },
  };
}

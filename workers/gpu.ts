import { createAttackShardActivities } from '../activities/attack/index.ts';
import { createEvaluationActivities } from '../activities/evaluation/index.ts';
import { createTrainingActivities } from '../activities/training/index.ts';
import type { GpuActivities } from '../contracts/activities.ts';
import { AttackLog, TrainingStore } from '../lib/clients/index.ts';
import type { Logger } from '../lib/telemetry/index.ts';
import type { Resources } from './shared/resources.ts';
import { runPool } from './shared/run-pool.ts';

/** Training, evaluation and attacks on one device. Run one such process for each device. */
await runPool({
  pool: 'gpu',
  options: async ({ resources, logger }) => ({
    activities: await gpuActivities(resources, logger),
    maxConcurrentActivityTaskExecutions: 1,
    // A training resumes from its checkpoint on any worker: it is stopped at once, and is not worth waiting for.
    shutdownGraceTime: 0,
  }),
});

async function gpuActivities({ config, store, database }: Resources, logger: Logger): Promise<GpuActivities> {
  const pool = await database();
  const trainings = new TrainingStore(pool);
  const onOutput = (line: string): void => logger.info({ line }, 'output of a training process');
  const { threads } = config.gpu;
  return {
    ...createAttackShardActivities({ store, attacks: new AttackLog(pool), threads, onOutput }),
    ...createTrainingActivities({ store, trainings, parallelism: config.gpu, onOutput }),
    ...createEvaluationActivities({ store, threads }),
  };
}

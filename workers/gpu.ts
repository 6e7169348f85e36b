import { createAttackShardActivities } from '../activities/attack/index.ts';
import { createEvaluationActivities } from '../activities/evaluation/index.ts';
import { keepingGpu } from '../activities/steps/index.ts';
import { createExtractShardActivities } from '../activities/extraction/index.ts';
import { createTrainingActivities } from '../activities/training/index.ts';
import type { GpuActivities } from '../contracts/activities.ts';
import { AttackLog, TrainingStore } from '../lib/clients/index.ts';
import { detectDevice, planTraining } from '../lib/ml/index.ts';
import type { Logger } from '../lib/telemetry/index.ts';
import type { Resources } from './shared/resources.ts';
import { runPool } from './shared/run-pool.ts';
import { openSteps } from './shared/steps.ts';

/** Training, evaluation, attacks and extractions on one device. Run one such process for each device. */
await runPool({
  pool: 'gpu',
  options: async ({ resources, logger }) => ({
    activities: await gpuActivities(resources, logger),
    maxConcurrentActivityTaskExecutions: 1,
    // A training resumes from its checkpoint on any worker: it is stopped at once, and is not worth waiting for.
    shutdownGraceTime: 0,
  }),
});

async function gpuActivities(resources: Resources, logger: Logger): Promise<GpuActivities> {
  const { config, store, database } = resources;
  const pool = await database();
  const trainings = new TrainingStore(pool);
  const onOutput = (line: string): void => logger.info({ line }, 'output of a training process');
  const { threads } = config.gpu;
  const device = detectDevice();
  const plan = planTraining(device, config.gpu);
  const environment = { deviceClass: device.deviceClass, replicas: plan.replicas, threads: plan.threads };
  const { keeper, code } = await openSteps({ pool: 'gpu', resources, environment, logger });
  const codeSha256 = code.train?.sha256;
  const stages = {
    ...createTrainingActivities({ store, trainings, parallelism: config.gpu, codeSha256, onOutput }),
    ...createEvaluationActivities({ store, threads }),
  };
  const attacking = { store, attacks: new AttackLog(pool), threads, onOutput };
  return {
    ...createAttackShardActivities(attacking),
    ...createExtractShardActivities(attacking),
    ...keepingGpu(stages, keeper),
  };
}

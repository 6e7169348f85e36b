import { hostname } from 'node:os';
import { StepKeeper } from '../../activities/steps/index.ts';
import { CACHED_STAGES } from '../../contracts/step-cache.ts';
import type { CachedStage, StepEnvironment } from '../../contracts/step-cache.ts';
import { AuditLog, StepStore } from '../../lib/clients/index.ts';
import { announceWorker, STAGE_POOLS, stageCode, StepCache } from '../../lib/stepcache/index.ts';
import type { StageCode, StepCacheOptions } from '../../lib/stepcache/index.ts';
import type { Logger } from '../../lib/telemetry/index.ts';
import { CHECKOUT } from './checkout.ts';
import type { Resources } from './resources.ts';

/** The module in which each stage starts. */
const ENTRIES: Readonly<Record<CachedStage, string>> = {
  prepareData: 'activities/data/index.ts',
  train: 'activities/training/index.ts',
  evaluate: 'activities/evaluation/index.ts',
  exportOnnx: 'activities/export/index.ts',
};

/** Every package, and the library that TensorFlow.js computes with. */
const LOCKS = [
  'package-lock.json',
  'infra/toolchain/tensorflow-cpu.lock',
  'infra/toolchain/tensorflow-cuda.lock',
] as const;

/** The key in OpenBao that vouches for kept results. */
const SEAL = 'steps';

export interface OpenStepsOptions {
  readonly pool: 'cpu' | 'gpu';
  readonly resources: Pick<Resources, 'config' | 'store' | 'database' | 'bao'>;
  /** What decides the last bits on this worker, beside Node and the platform. */
  readonly environment: StepEnvironment;
  readonly logger: Logger;
}

export interface Steps {
  readonly store: StepStore;
  readonly cache: StepCache;
  readonly keeper: StepKeeper;
  readonly code: Readonly<Partial<Record<CachedStage, StageCode>>>;
}

/**
 * The step cache as a pool uses it. Reads the code of the pool's stages, which from here on must not change, and
 * announces the worker.
 * @throws StepCacheError, DatabaseError
 */
export async function openSteps({ pool, resources, environment: given, logger }: OpenStepsOptions): Promise<Steps> {
  const { config, store: artifacts, database, bao } = resources;
  const store = new StepStore(await database());
  const cache = new StepCache({
    ...{ steps: store, artifacts, days: config.stepCache.days },
    hmac: (text, like) => bao.transitHmac(SEAL, text, like),
    onForged: reportForged(pool, new AuditLog(await database()), logger),
  });
  const environment = {
    ...given,
    platform: `${process.platform}-${process.arch}`,
    node: process.versions.node.split('.')[0] ?? '',
  };
  const code = await codeOf(pool);
  const worker = {
    worker: `${pool}@${hostname()}/${process.pid}`,
    pool,
    environment,
    code: Object.fromEntries(Object.entries(code).map(([stage, { sha256 }]) => [stage, sha256])),
  };
  await announceWorker(store, worker, (error) => logger.warn({ err: error }, 'the worker could not be announced'));
  const onError = (error: unknown, stage: CachedStage): void =>
    logger.warn({ err: error, stage }, 'a result was not kept for reuse');
  return { store, cache, keeper: new StepKeeper({ cache, environment, code, onError }), code };
}

/** Somebody wrote a row that no worker vouched for: that is worth a line in both logs. */
function reportForged(pool: string, audit: Pick<AuditLog, 'append'>, logger: Logger): StepCacheOptions['onForged'] {
  return async ({ key, stage, tenant, workflowId }) => {
    logger.warn({ key, stage, tenant, workflowId }, 'a kept result that nobody vouches for was dropped');
    await audit.append({
      ...{ actor: `worker:${pool}`, action: 'step-cache:read', subject: `step:${key}`, decision: 'deny' },
      detail: { reason: 'nobody vouches for this entry', stage, tenant, workflowId },
    });
  };
}

async function codeOf(pool: OpenStepsOptions['pool']): Promise<Partial<Record<CachedStage, StageCode>>> {
  const stages = CACHED_STAGES.filter((stage) => STAGE_POOLS[stage] === pool);
  const read = async (stage: CachedStage): Promise<[CachedStage, StageCode]> => [
    stage,
    await stageCode({ checkout: CHECKOUT, entry: ENTRIES[stage], locks: LOCKS }),
  ];
  return Object.fromEntries(await Promise.all(stages.map(read)));
}

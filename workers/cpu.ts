import { createApprovalActivities } from '../activities/approval/index.ts';
import { createAttackActivities } from '../activities/attack/index.ts';
import { createAuditActivities } from '../activities/audit/index.ts';
import { createDataActivities } from '../activities/data/index.ts';
import { createExportActivities } from '../activities/export/index.ts';
import { createExtractionActivities } from '../activities/extraction/index.ts';
import { createImportActivities } from '../activities/import/index.ts';
import { createGatesActivities } from '../activities/gates/index.ts';
import { createRegistryActivities } from '../activities/registry/index.ts';
import { createRolloutActivities } from '../activities/rollout/index.ts';
import { createScoringActivities } from '../activities/scoring/index.ts';
import { createSearchActivities } from '../activities/search/index.ts';
import { createStepActivities, keepingCpu } from '../activities/steps/index.ts';
import { createTrackingActivities } from '../activities/tracking/index.ts';
import type { CpuActivities } from '../contracts/activities.ts';
import {
  AliasLog,
  AttackLog,
  AuditLog,
  BatchScores,
  Datasets,
  ExtractionLog,
  LineageLog,
  MisuseFlags,
  ModelProtections,
  ModelRegistry,
  ServingStatus,
  ServingSwitches,
  UsageLimits,
  withLock,
} from '../lib/clients/index.ts';
import { TransitKeySet } from '../lib/identity/index.ts';
import { processorClass } from '../lib/ml/index.ts';
import { collectScores } from '../lib/scoring/index.ts';
import type { CollectScoresOptions } from '../lib/scoring/index.ts';
import { collectSteps } from '../lib/stepcache/index.ts';
import type { CollectOptions } from '../lib/stepcache/index.ts';
import { transitPublicKeys } from '../lib/supplychain/index.ts';
import type { Logger } from '../lib/telemetry/index.ts';
import type { Resources } from './shared/resources.ts';
import { runPool } from './shared/run-pool.ts';
import { openSteps } from './shared/steps.ts';

/** Data, export, tracking, registry, gates and rollout. */
await runPool({
  pool: 'cpu',
  options: async ({ resources, logger }) => ({
    activities: await cpuActivities(resources, logger),
    maxConcurrentActivityTaskExecutions: 2,
  }),
});

async function cpuActivities(resources: Resources, logger: Logger): Promise<CpuActivities> {
  const { config, bao, store, mlflow, database } = resources;
  const pool = await database();
  const lock = <T>(name: string, work: () => Promise<T>): Promise<T> => withLock(pool, name, work);
  const aliases = new AliasLog(pool);
  const registry = new ModelRegistry(pool);
  const urls = { mlflow: config.mlflow.url, temporalUi: config.temporal.uiUrl, namespace: config.temporal.namespace };
  const publicKeys = (): Promise<readonly string[]> => transitPublicKeys(bao);
  const approvalKeys = new TransitKeySet({ transit: bao, key: 'approvals' });
  const environment = { processorClass: processorClass() };
  const steps = await openSteps({ pool: 'cpu', resources, environment, logger });
  const datasets = new Datasets(pool);
  const scores = new BatchScores(pool);
  void collect({ steps: steps.store, uploads: datasets, scores, artifacts: store }, lock, logger);
  const data = createDataActivities({ store, added: datasets });
  const hold = (digests: readonly string[], holder: string): Promise<void> => steps.store.hold(digests, holder);
  return {
    ...data,
    ...keepingCpu({ ...data, ...createExportActivities({ store }) }, steps.keeper),
    ...createImportActivities({ store }),
    ...createStepActivities({ cache: steps.cache }),
    ...createTrackingActivities({ mlflow, store, urls, lock, hold }),
    ...createSearchActivities({ mlflow, store, urls, lock }),
    ...createGatesActivities({ store, registry, aliases, publicKeys }),
    ...createAttackActivities({
      store,
      registry,
      aliases,
      publicKeys,
      attacks: new AttackLog(pool),
      mlflow,
      urls,
      lock,
    }),
    ...createExtractionActivities({ store, extractions: new ExtractionLog(pool), mlflow, urls, lock }),
    ...createApprovalActivities({ keys: approvalKeys, issuer: config.api.url }),
    ...createRegistryActivities({ registry, aliases, lineage: new LineageLog(pool), mlflow, store, lock }),
    ...createRolloutActivities({ aliases, serving: new ServingStatus(pool), mlflow }),
    ...createAuditActivities({ log: new AuditLog(pool) }),
    ...createScoringActivities({
      ...{ store, registry, aliases, publicKeys, scores, uploads: datasets },
      switches: new ServingSwitches(pool),
      limits: new UsageLimits(pool),
      protections: new ModelProtections(pool),
      flags: new MisuseFlags(pool),
      defaults: config,
    }),
  };
}

/** Expired results go when a worker starts; nothing waits for that, and what fails is done at the next start. */
async function collect(
  collected: CollectOptions & CollectScoresOptions,
  lock: <T>(name: string, work: () => Promise<T>) => Promise<T>,
  logger: Logger,
): Promise<void> {
  try {
    const collection = await lock('step-cache:collect', () => collectSteps(collected));
    const scored = await lock('batch-scores:collect', () => collectScores(collected));
    logger.info({ ...collection, scored }, 'expired results of stages and files were removed');
  } catch (error) {
    logger.warn({ err: error }, 'expired results could not be removed');
  }
}

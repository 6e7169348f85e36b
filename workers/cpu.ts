import { createApprovalActivities } from '../activities/approval/index.ts';
import { createAttackActivities } from '../activities/attack/index.ts';
import { createAuditActivities } from '../activities/audit/index.ts';
import { createDataActivities } from '../activities/data/index.ts';
import { createExportActivities } from '../activities/export/index.ts';
import { createGatesActivities } from '../activities/gates/index.ts';
import { createRegistryActivities } from '../activities/registry/index.ts';
import { createRolloutActivities } from '../activities/rollout/index.ts';
import { createSearchActivities } from '../activities/search/index.ts';
import { createTrackingActivities } from '../activities/tracking/index.ts';
import type { CpuActivities } from '../contracts/activities.ts';
import {
  AliasLog,
  AttackLog,
  AuditLog,
  Datasets,
  ModelRegistry,
  ServingStatus,
  withLock,
} from '../lib/clients/index.ts';
import { TransitKeySet } from '../lib/identity/index.ts';
import { transitPublicKeys } from '../lib/supplychain/index.ts';
import type { Resources } from './shared/resources.ts';
import { runPool } from './shared/run-pool.ts';

/** Data, export, tracking, registry, gates and rollout. */
await runPool({
  pool: 'cpu',
  options: async ({ resources }) => ({
    activities: await cpuActivities(resources),
    maxConcurrentActivityTaskExecutions: 2,
  }),
});

async function cpuActivities({ config, bao, store, mlflow, database }: Resources): Promise<CpuActivities> {
  const pool = await database();
  const lock = <T>(name: string, work: () => Promise<T>): Promise<T> => withLock(pool, name, work);
  const aliases = new AliasLog(pool);
  const registry = new ModelRegistry(pool);
  const urls = { mlflow: config.mlflow.url, temporalUi: config.temporal.uiUrl, namespace: config.temporal.namespace };
  const publicKeys = (): Promise<readonly string[]> => transitPublicKeys(bao);
  const approvalKeys = new TransitKeySet({ transit: bao, key: 'approvals' });
  return {
    ...createDataActivities({ store, added: new Datasets(pool) }),
    ...createExportActivities({ store }),
    ...createTrackingActivities({ mlflow, store, urls, lock }),
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
    ...createApprovalActivities({ keys: approvalKeys, issuer: config.api.url }),
    ...createRegistryActivities({ registry, mlflow, store, lock }),
    ...createRolloutActivities({ aliases, serving: new ServingStatus(pool), mlflow }),
    ...createAuditActivities({ log: new AuditLog(pool) }),
  };
}

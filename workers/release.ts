import { createReleaseActivities } from '../activities/release/index.ts';
import { createSigningActivities } from '../activities/signing/index.ts';
import type { ReleaseActivities } from '../contracts/activities.ts';
import { PolicyAnswer } from '../contracts/release.ts';
import { AttackLog, ModelRegistry, Releases, withLock } from '../lib/clients/index.ts';
import { TransitKeySet } from '../lib/identity/index.ts';
import { CompiledPolicy } from '../lib/policy/index.ts';
import { ReleaseStore } from '../lib/release/index.ts';
import { transitPublicKeys, transitSigner } from '../lib/supplychain/index.ts';
import { CHECKOUT } from './shared/checkout.ts';
import type { Resources } from './shared/resources.ts';
import { runPool } from './shared/run-pool.ts';

/** The only pool whose login may sign models and releases. */
await runPool({
  pool: 'release',
  options: async ({ resources }) => ({
    activities: await releaseActivities(resources),
    maxConcurrentActivityTaskExecutions: 1,
  }),
});

async function releaseActivities({ config, bao, store, mlflow, database }: Resources): Promise<ReleaseActivities> {
  const pool = await database();
  const attacks = new AttackLog(pool);
  const modelKeys = (): Promise<readonly string[]> => transitPublicKeys(bao);
  return {
    ...createSigningActivities({ store, signer: transitSigner(bao), publicKeys: modelKeys }),
    ...createReleaseActivities({
      store,
      mlflow,
      registry: new ModelRegistry(pool),
      releases: new Releases(pool),
      folders: new ReleaseStore({ root: config.artifacts }),
      latestAttackReport: (attacked) => attacks.evidence(attacked),
      policy: await CompiledPolicy.load({ name: 'release', decision: PolicyAnswer }),
      signer: transitSigner(bao, 'releases'),
      modelKeys,
      releaseKeys: () => transitPublicKeys(bao, 'releases'),
      approvals: { keys: new TransitKeySet({ transit: bao, key: 'approvals' }), issuer: config.api.url },
      platform: { checkout: CHECKOUT, syft: config.syft },
      lock: (name, work) => withLock(pool, name, work),
    }),
  };
}

import { createSigningActivities } from '../activities/signing/index.ts';
import { transitPublicKeys, transitSigner } from '../lib/supplychain/index.ts';
import { runPool } from './shared/run-pool.ts';

/** The only pool whose login may sign models. */
await runPool({
  pool: 'release',
  options: async ({ resources: { bao, store } }) => ({
    activities: createSigningActivities({
      store,
      signer: transitSigner(bao),
      publicKeys: () => transitPublicKeys(bao),
    }),
    maxConcurrentActivityTaskExecutions: 1,
  }),
});

import type { BaoClient, Pool } from '../../lib/clients/index.ts';
import { ApiError } from '../errors.ts';
import type { HealthCheck } from '../routes/index.ts';
import type { ServingService } from '../serving/index.ts';
import type { TemporalGateway } from '../temporal/gateway.ts';

export interface HealthParts {
  readonly bao: BaoClient;
  readonly pool: Pool;
  readonly temporal: TemporalGateway;
  readonly serving: ServingService;
}

/** What `/health/ready` looks at. */
export function healthChecks({ bao, pool, temporal, serving }: HealthParts): Record<string, HealthCheck> {
  return {
    database: {
      check: async () => {
        await pool.query('SELECT 1');
      },
    },
    secrets: {
      check: async () => {
        await bao.transitPublicKeys('tokens');
      },
    },
    models: {
      check: async () => {
        if (!serving.ready) throw new ApiError('UNAVAILABLE', 'The aliases have not been looked at.');
      },
    },
    temporal: {
      optional: true,
      check: async () => {
        await temporal.call(undefined, () => temporal.client.workflowService.getSystemInfo({}), 2_000);
      },
    },
  };
}

import { StepCollection, StepList, StepListQuery } from '../../contracts/step-cache.ts';
import { Timestamp } from '../../contracts/api.ts';
import type { StepStore } from '../../lib/clients/index.ts';
import { pageOf, readToken } from '../http/paging.ts';
import { route, type Route } from '../http/route.ts';

export interface StepCacheRoutesOptions {
  readonly steps: Pick<StepStore, 'list'>;
  /** Removes what has expired, while nobody else does. */
  readonly collect: () => Promise<StepCollection>;
}

const tag = 'Step cache';

/** Hashing is left to others, but a large collection unlinks many files. */
const COLLECT_MS = 120_000;

export function stepCacheRoutes({ steps, collect }: StepCacheRoutesOptions): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/step-cache',
      operationId: 'listSteps',
      tag,
      summary: 'Results of stages that later runs of your tenant may reuse, last used first',
      access: 'workflow:read',
      query: StepListQuery,
      success: { status: 200, description: 'One page.', schema: StepList },
      handler: async ({ query: { stage, limit, pageToken }, caller: { tenant } }) => {
        const before = readToken(pageToken, Timestamp);
        const rows = await steps.list({ tenant, stage, before, limit: limit + 1 });
        const { items, nextPageToken } = pageOf(rows, limit, ({ usedAt }) => usedAt);
        return { entries: items, nextPageToken };
      },
    }),
    route({
      method: 'post',
      path: '/v1/step-cache/collect',
      operationId: 'collectSteps',
      tag,
      summary: 'Remove expired results, and their artifacts that nothing else refers to',
      access: 'cache:collect',
      timeout: COLLECT_MS,
      success: { status: 200, description: 'What was removed.', schema: StepCollection },
      handler: () => collect(),
    }),
  ];
}

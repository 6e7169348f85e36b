import { z } from 'zod';
import { VersionNumber } from '../../contracts/release.ts';
import { Name } from '../../contracts/reference.ts';
import { LineageAnswer, LineageQuery, VersionLineage } from '../../contracts/step-cache.ts';
import type { LineageLog, ModelRegistry } from '../../lib/clients/index.ts';
import { ApiError } from '../errors.ts';
import { route, type Route } from '../http/route.ts';

export interface LineageRoutesOptions {
  readonly lineage: Pick<LineageLog, 'of' | 'search'>;
  readonly registry: Pick<ModelRegistry, 'get'>;
}

const tag = 'Models';

/** Where versions come from, and what came from where. */
export function lineageRoutes({ lineage, registry }: LineageRoutesOptions): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/models/{name}/versions/{version}/lineage',
      operationId: 'getVersionLineage',
      tag,
      summary: 'What a version came from: data, code, runs; and what was made of it: attacks, releases',
      access: 'model:read',
      params: z.strictObject({ name: Name, version: VersionNumber }),
      success: { status: 200, description: 'The lineage.', schema: VersionLineage },
      errors: ['MODEL_UNKNOWN', 'MODEL_VERSION_UNKNOWN'],
      handler: async ({ params: { name, version } }) => {
        await registry.get(name, version);
        const found = await lineage.of(name, version);
        if (found !== undefined) return found;
        throw new ApiError('MODEL_VERSION_UNKNOWN', `The model ${name} has no version ${version}.`);
      },
    }),
    route({
      method: 'get',
      path: '/v1/lineage',
      operationId: 'searchLineage',
      tag,
      summary: 'Backwards: which versions came from this data, code, run, release or digest?',
      access: 'model:read',
      query: LineageQuery,
      success: { status: 200, description: 'At most 100 versions, newest first.', schema: LineageAnswer },
      handler: async ({ query }) => ({ versions: await lineage.search(query) }),
    }),
  ];
}

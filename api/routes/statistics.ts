import { z } from 'zod';
import { Name } from '../../contracts/reference.ts';
import { StatisticsResponse } from '../../contracts/statistics.ts';
import { route, type Route } from '../http/route.ts';
import type { InferenceMetrics, LoadedModel, ServedModels } from '../serving/index.ts';
import { MODEL_ERRORS, ModelAtAlias } from './model-at-alias.ts';

export interface StatisticsRoutesOptions {
  readonly served: ServedModels;
  readonly metrics: Pick<InferenceMetrics, 'statistics'>;
}

const success = { status: 200, description: 'Since this process started.', schema: StatisticsResponse } as const;
const common = { method: 'get', tag: 'Inference', access: 'model:read', success } as const;
const aliasParams = z.strictObject({ model: ModelAtAlias });
const versionParams = z.strictObject({ model: Name, version: z.string().min(1).max(32) });

/** The statistics extension of the Open Inference Protocol. */
export function statisticsRoutes({ served, metrics: { statistics } }: StatisticsRoutesOptions): Route[] {
  const of = (models: Iterable<LoadedModel>): z.infer<typeof StatisticsResponse> => ({
    model_stats: statistics.of([...models]),
  });
  return [
    // Before the routes of a model: none can be called "stats".
    route({
      ...common,
      path: '/v2/models/stats',
      operationId: 'getStatistics',
      summary: 'What every loaded version did',
      handler: () => of(served.loaded()),
    }),
    route({
      ...common,
      path: '/v2/models/{model}/stats',
      operationId: 'getModelStatistics',
      summary: 'What the version of an alias did',
      params: aliasParams,
      resource: ({ model: { model } }) => ({ model }),
      errors: MODEL_ERRORS,
      handler: ({ params: { model } }) => of([served.resolve(model.model, model.alias)]),
    }),
    route({
      ...common,
      path: '/v2/models/{model}/versions/{version}/stats',
      operationId: 'getModelVersionStatistics',
      summary: 'What a version did',
      params: versionParams,
      resource: ({ model }) => ({ model }),
      errors: MODEL_ERRORS,
      handler: ({ params: { model, version } }) => of([served.resolveVersion(model, version)]),
    }),
  ];
}

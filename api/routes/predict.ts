import { z } from 'zod';
import { isSaipError } from '../../contracts/errors.ts';
import { PredictRequest, PredictResponse } from '../../contracts/predict.ts';
import { route, type Route } from '../http/route.ts';
import { predict, type InferenceMetrics, type ServedModels } from '../serving/index.ts';
import { MODEL_ERRORS, ModelAtAlias } from './model-at-alias.ts';

const BODY_LIMIT = 8 * 1024 * 1024;

export interface PredictRouteOptions {
  readonly served: ServedModels;
  readonly metrics: InferenceMetrics;
}

/** Records by feature name, for models of tables. */
export function predictRoute({ served, metrics }: PredictRouteOptions): Route {
  return route({
    method: 'post',
    path: '/v1/models/{model}/predict',
    operationId: 'predictRecords',
    tag: 'Inference',
    summary: 'Predict records of named features',
    access: 'model:infer',
    audited: false,
    params: z.strictObject({ model: ModelAtAlias }),
    body: PredictRequest,
    bodyLimit: BODY_LIMIT,
    success: { status: 200, description: 'One prediction a record.', schema: PredictResponse },
    errors: [...MODEL_ERRORS, 'TENSOR_INVALID', 'UNAVAILABLE'],
    handler: async ({ params: { model: named }, body }) => {
      const startedAt = performance.now();
      let name = 'unknown';
      try {
        const model = served.resolve(named.model, named.alias);
        name = model.model;
        const { response, timings } = await predict(model, body.records);
        metrics.succeeded(model, (performance.now() - startedAt) / 1000, timings);
        return response;
      } catch (error) {
        metrics.failed(name, isSaipError(error) ? error.code : 'INTERNAL');
        throw error;
      }
    },
  });
}

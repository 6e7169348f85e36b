import { z } from 'zod';
import { PredictRequest, PredictResponse } from '../../contracts/predict.ts';
import { route, type Route } from '../http/route.ts';
import { predict, recordDenial, recorded, type InferenceKeepers, type ServedModels } from '../serving/index.ts';
import { GUARD_ERRORS, MODEL_ERRORS, ModelAtAlias } from './model-at-alias.ts';

const BODY_LIMIT = 8 * 1024 * 1024;

export interface PredictRouteOptions extends InferenceKeepers {
  readonly served: ServedModels;
}

/** Records by feature name, for models of tables. */
export function predictRoute({ served, ...keepers }: PredictRouteOptions): Route {
  return route({
    method: 'post',
    path: '/v1/models/{model}/predict',
    operationId: 'predictRecords',
    tag: 'Inference',
    summary: 'Predict records of named features',
    access: 'model:infer',
    resource: ({ model }) => ({ model: model.model }),
    // Recorded with its outcome, before it is answered.
    audited: false,
    denied: (denial) => recordDenial(keepers, denial),
    params: z.strictObject({ model: ModelAtAlias }),
    body: PredictRequest,
    bodyLimit: BODY_LIMIT,
    success: { status: 200, description: 'One prediction a record.', schema: PredictResponse },
    errors: [...MODEL_ERRORS, 'TENSOR_INVALID', 'UNAVAILABLE', 'AUDIT_UNAVAILABLE', ...GUARD_ERRORS],
    handler: (context) => {
      const { model, alias } = context.params.model;
      return recorded(
        keepers,
        context,
        () => served.resolve(model, alias),
        (loaded) => predict(loaded, context.body.records),
      );
    },
  });
}

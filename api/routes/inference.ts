import { z } from 'zod';
import {
  InferRequest,
  InferResponse,
  ModelMetadata,
  ModelReady,
  ServerLive,
  ServerMetadata,
  ServerReady,
} from '../../contracts/inference.ts';
import { isSaipError } from '../../contracts/errors.ts';
import { Name } from '../../contracts/reference.ts';
import type { Resource } from '../../lib/policy/index.ts';
import { VERSION } from '../version.ts';
import { rawRoute, route, type RequestContext, type Route } from '../http/route.ts';
import { GUARD_ERRORS, MODEL_ERRORS, ModelAtAlias } from './model-at-alias.ts';
import { predictRoute } from './predict.ts';
import { repositoryRoutes, type RepositoryRoutesOptions } from './repository.ts';
import { scoreRoute } from './score.ts';
import { statisticsRoutes } from './statistics.ts';
import {
  decodeInferRequest,
  encodeInferResponse,
  infer,
  metadataOf,
  recordDenial,
  recorded,
  type InferenceKeepers,
  type LoadedModel,
} from '../serving/index.ts';

export interface InferenceRoutesOptions extends InferenceKeepers, RepositoryRoutesOptions {
  /** False until the first round over the alias log is done, and while the process drains. */
  readonly isReady: () => boolean;
}

const tag = 'Inference';
/** What this server does beyond the protocol, under the names that Triton gives its extensions. */
const EXTENSIONS = [
  'binary_tensor_data',
  'classification',
  'model_aliases',
  'model_repository',
  'parameters',
  'statistics',
];
const BODY_LIMIT = 32 * 1024 * 1024;
const aliasParams = z.strictObject({ model: ModelAtAlias });
const versionParams = z.strictObject({ model: Name, version: z.string().min(1).max(32) });
type AliasParams = z.infer<typeof aliasParams>;
type VersionParams = z.infer<typeof versionParams>;

const inferErrors = [
  ...MODEL_ERRORS,
  'TENSOR_INVALID',
  'UNSUPPORTED_DATATYPE',
  'UNAVAILABLE',
  'AUDIT_UNAVAILABLE',
  ...GUARD_ERRORS,
] as const;

/** The data plane: Open Inference Protocol V2, and records of named features for models of tables. */
export function inferenceRoutes(options: InferenceRoutesOptions): Route[] {
  return [
    ...serverRoutes(options),
    predictRoute(options),
    scoreRoute(options),
    ...repositoryRoutes(options),
    ...statisticsRoutes(options),
    ...modelRoutes(options, '/v2/models/{model}', aliasParams, ({ model }) =>
      options.served.resolve(model.model, model.alias),
    ),
    ...modelRoutes(options, '/v2/models/{model}/versions/{version}', versionParams, ({ model, version }) =>
      options.served.resolveVersion(model, version),
    ),
  ];
}

function serverRoutes({ isReady }: InferenceRoutesOptions): Route[] {
  return [
    route({
      method: 'get',
      path: '/v2',
      operationId: 'getServerMetadata',
      tag,
      summary: 'Server metadata',
      access: 'public',
      success: { status: 200, description: 'Name, version, extensions.', schema: ServerMetadata },
      handler: () => ({ name: 'secure-ai-platform', version: VERSION, extensions: [...EXTENSIONS] }),
    }),
    route({
      method: 'get',
      path: '/v2/health/live',
      operationId: 'getServerLive',
      tag,
      summary: 'Whether the server runs',
      access: 'public',
      success: { status: 200, description: 'It does.', schema: ServerLive },
      handler: () => ({ live: true }),
    }),
    route({
      method: 'get',
      path: '/v2/health/ready',
      operationId: 'getServerReady',
      tag,
      summary: 'Whether every alias has been looked at',
      access: 'public',
      success: {
        status: 200,
        description: 'Ready; 503 with the same body when not.',
        schema: ServerReady,
        otherStatus: 503,
      },
      handler: ({ response }) => {
        const ready = isReady();
        if (!ready) response.status(503);
        return { ready };
      },
    }),
  ];
}

/** Metadata, readiness and inference of what `find` gives; the two ways to name a model share them. */
function modelRoutes<S extends z.ZodType<AliasParams> | z.ZodType<VersionParams>>(
  { served, ...keepers }: InferenceRoutesOptions,
  path: string,
  params: S,
  find: (params: z.infer<S>) => LoadedModel,
): Route[] {
  const suffix = path.endsWith('{version}') ? 'Version' : '';
  return [
    route({
      method: 'get',
      path,
      operationId: `getModel${suffix}Metadata`,
      tag,
      summary: 'Inputs and outputs of a model',
      access: 'model:read',
      params,
      resource: ofModel,
      success: { status: 200, description: 'Model metadata.', schema: ModelMetadata },
      errors: MODEL_ERRORS,
      handler: (context) => {
        const model = find(context.params);
        return metadataOf(model, served.versions(model.model));
      },
    }),
    route({
      method: 'get',
      path: `${path}/ready`,
      operationId: `getModel${suffix}Ready`,
      tag,
      summary: 'Whether a model answers, and why not',
      access: 'model:read',
      params,
      resource: ofModel,
      success: {
        status: 200,
        description: 'Ready; 503 with the same body when not.',
        schema: ModelReady,
        otherStatus: 503,
      },
      errors: ['MODEL_UNKNOWN', 'ALIAS_UNKNOWN'],
      handler: (context) => readiness(context, () => find(context.params)),
    }),
    rawRoute({
      method: 'post',
      path: `${path}/infer`,
      operationId: `infer${suffix}`,
      tag,
      summary: 'Predict',
      // Each is recorded after it, with its outcome, and before it is answered.
      access: 'model:infer',
      params,
      resource: ofModel,
      denied: (denial) => recordDenial(keepers, denial),
      description: 'Raw tensors follow the JSON in `application/octet-stream`, with `Inference-Header-Content-Length`.',
      body: InferRequest,
      bodyTypes: ['application/json', 'application/octet-stream'],
      untyped: true,
      bodyLimit: BODY_LIMIT,
      success: {
        status: 200,
        description: 'The outputs.',
        schema: InferResponse,
        otherTypes: ['application/octet-stream'],
      },
      errors: inferErrors,
      raw: (context) => {
        const call = decodeInferRequest(context.body, context.headers);
        const { patience, asked } = context;
        if (call.timeout !== undefined) patience.limit?.(call.timeout);
        return recorded(
          keepers,
          { ...context, request: { path: asked } },
          () => find(context.params),
          (model) => infer(model, call, { patience }, encodeInferResponse),
        );
      },
    }),
  ];
}

function ofModel({ model }: AliasParams | VersionParams): Resource {
  return { model: typeof model === 'string' ? model : model.model };
}

function readiness(
  { params, response }: RequestContext<AliasParams | VersionParams>,
  find: () => LoadedModel,
): ModelReady {
  const name = typeof params.model === 'string' ? params.model : params.model.model;
  try {
    return { name, ready: true, version: find().version };
  } catch (error) {
    if (!isSaipError(error) || error.spec.status === 404) throw error;
    response.status(503);
    return { name, ready: false, code: error.code, reason: error.message };
  }
}

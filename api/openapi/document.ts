import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
} from 'zod-openapi';
import * as api from '../../contracts/api.ts';
import { ERRORS, type ErrorCode } from '../../contracts/errors.ts';
import * as inference from '../../contracts/inference.ts';
import { RepositoryEntry } from '../../contracts/repository.ts';
import { ModelStatistics } from '../../contracts/statistics.ts';
import * as models from '../../contracts/model-config.ts';
import { TrainingHeartbeat } from '../../contracts/progress.ts';
import { ScoreRequest, ScoreResult } from '../../contracts/batch-score.ts';
import { AgentView } from '../../contracts/agent-api.ts';
import { AgentTaskRequest, AgentTaskResult } from '../../contracts/agent-task.ts';
import { AliasEvent, RolloutResult } from '../../contracts/registry.ts';
import { ImportRequest, ImportResult, ModelCard, ScanReport } from '../../contracts/import-model.ts';
import { TrainRequest, TrainResult } from '../../contracts/train-register-deploy.ts';
import { PROBLEM_MEDIA_TYPE } from '../http/problem.ts';
import type { Route, UploadBody } from '../http/route.ts';

export type OpenApiDocument = ReturnType<typeof createDocument>;

export interface DocumentOptions {
  readonly version: string;
  /** Public URL of the API. */
  readonly url: string;
}

/** Schemas that get a name of their own in `components`; the rest is written where it is used. */
const COMPONENTS = {
  Problem: api.Problem,
  WorkflowStarted: api.WorkflowStarted,
  WorkflowSummary: api.WorkflowSummary,
  WorkflowDetail: api.WorkflowDetail,
  WorkflowEvent: api.WorkflowEvent,
  LiveProgress: api.LiveProgress,
  WorkflowUpdated: api.WorkflowUpdated,
  ModelSummary: api.ModelSummary,
  ModelVersion: api.ModelVersionView,
  AliasState: api.AliasState,
  AliasEvent,
  ServingReport: api.ServingReport,
  Preset: api.PresetView,
  Dataset: api.DatasetSummary,
  Schedule: api.ScheduleView,
  ScheduleRequest: api.ScheduleRequest,
  TrainRequest,
  TrainResult,
  RolloutResult,
  AgentTaskRequest,
  AgentTaskResult,
  ScoreRequest,
  ScoreResult,
  ImportRequest,
  ImportResult,
  ModelCard,
  ScanReport,
  Agent: AgentView,
  TrainingHeartbeat,
  ModelConfig: models.ModelConfig,
  Layer: models.Layer,
  InferRequest: inference.InferRequest,
  InferResponse: inference.InferResponse,
  ModelMetadata: inference.ModelMetadata,
  ModelStatistics,
  RepositoryEntry,
};

const BODY_ERRORS: readonly ErrorCode[] = ['REQUEST_INVALID', 'REQUEST_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];
const GUARD_ERRORS: readonly ErrorCode[] = ['UNAUTHENTICATED', 'TOKEN_INVALID', 'FORBIDDEN', 'POLICY_UNAVAILABLE'];

/** The OpenAPI 3.1 document of a route table: the same schemas that the routes are checked with. */
export function openApiDocument(routes: readonly Route[], { version, url }: DocumentOptions): OpenApiDocument {
  const paths: ZodOpenApiPathsObject = {};
  for (const entry of routes.filter(({ undocumented }) => undocumented !== true)) {
    paths[entry.path] = { ...paths[entry.path], [entry.method]: operation(entry) };
  }
  return createDocument({
    openapi: '3.1.1',
    info: {
      title: 'Secure AI Platform',
      version,
      description: 'Control plane `/v1` and data plane `/v2` (Open Inference Protocol). Errors are RFC 9457 problems.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: COMPONENTS,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        clientCredentials: {
          type: 'oauth2',
          flows: { clientCredentials: { tokenUrl: `${url}/v1/auth/token`, scopes: {} } },
        },
        session: { type: 'apiKey', in: 'cookie', name: 'saip_session' },
      },
    },
  });
}

function operation(entry: Route): ZodOpenApiOperationObject {
  return {
    operationId: entry.operationId,
    tags: [entry.tag],
    summary: entry.summary,
    description: [entry.description, accessText(entry)].filter((text) => text !== undefined).join('\n\n'),
    security: security(entry),
    requestParams: {
      ...(entry.params instanceof z.ZodObject && { path: entry.params }),
      ...(entry.query instanceof z.ZodObject && { query: entry.query }),
      ...(entry.headers instanceof z.ZodObject && { header: entry.headers }),
    },
    ...(entry.body && { requestBody: requestBody(entry, entry.body) }),
    ...(entry.upload && { requestBody: uploadBody(entry.upload) }),
    responses: { [String(entry.success.status)]: success(entry), ...refusals(entry) },
  };
}

function accessText({ access }: Route): string {
  if (access === 'public') return 'Needs no token.';
  if (access === 'authenticated') return 'Needs any valid token.';
  return `Needs a role that may \`${access}\`.`;
}

function security({ access, cookie }: Route): Record<string, string[]>[] {
  if (access === 'public') return [];
  return [{ bearer: [] }, { clientCredentials: [] }, ...(cookie === true ? [{ session: [] }] : [])];
}

function requestBody(entry: Route, schema: z.ZodType): ZodOpenApiOperationObject['requestBody'] {
  const types = entry.bodyTypes ?? ['application/json'];
  return {
    required: entry.bodyOptional !== true,
    content: Object.fromEntries(
      types.map((type) => [type, { schema: type === 'application/octet-stream' ? BINARY : schema }]),
    ),
  };
}

/** Bytes; OpenAPI 3.1 gives them no schema. */
const BINARY = {};

function uploadBody({ types }: UploadBody): ZodOpenApiOperationObject['requestBody'] {
  return { required: true, content: Object.fromEntries(types.map((type) => [type, { schema: { type: 'string' } }])) };
}

function success({
  success: { description, schema, mediaType, otherTypes = [], headers },
}: Route): ZodOpenApiResponseObject {
  const content = schema
    ? { [mediaType ?? 'application/json']: { schema }, ...Object.fromEntries(otherTypes.map((type) => [type, {}])) }
    : mediaType
      ? { [mediaType]: {} }
      : undefined;
  return {
    description,
    ...(content && { content }),
    ...(headers && {
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, text]) => [name, { description: text, schema: { type: 'string' } }]),
      ),
    }),
  };
}

/** Problems, and the body of the successful answer where it has another status as well. */
function refusals(entry: Route): Record<string, ZodOpenApiResponseObject> {
  const described = problems(entry);
  const { otherStatus } = entry.success;
  if (otherStatus === undefined) return described;
  const { content, description } = success(entry);
  const known = described[`${otherStatus}`];
  return {
    ...described,
    [String(otherStatus)]: {
      description: known?.description ?? description,
      content: { [PROBLEM_MEDIA_TYPE]: { schema: api.Problem }, ...content },
    },
  };
}

/** One response for each status, which lists the codes that come with it. */
function problems(entry: Route): Record<`${4 | 5}${string}`, ZodOpenApiResponseObject> {
  const codes: ErrorCode[] = [...(entry.errors ?? []), 'INTERNAL'];
  if (entry.access !== 'public') codes.push(...GUARD_ERRORS);
  if (entry.body ?? entry.upload) codes.push(...BODY_ERRORS);
  else if (entry.params ?? entry.query ?? entry.headers) codes.push('REQUEST_INVALID');
  if (entry.audited !== false && entry.method !== 'get' && entry.access !== 'public') codes.push('AUDIT_UNAVAILABLE');
  const byStatus = Map.groupBy(new Set(codes), (code) => ERRORS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [
      String(status),
      {
        description: list.map((code) => `\`${code}\``).join(', '),
        content: { [PROBLEM_MEDIA_TYPE]: { schema: api.Problem } },
      },
    ]),
  );
}

import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { ScoreRequest, ScoreResult, ScoreUpload, type ScoreInput } from '../../contracts/batch-score.ts';
import { scoreStart } from '../../contracts/workflows.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import type { AliasLog, Datasets } from '../../lib/clients/index.ts';
import { ApiError } from '../errors.ts';
import { route, type Route, type UploadBody } from '../http/route.ts';
import { uploadedBytes } from '../http/upload.ts';
import { RECORD_TYPES } from '../serving/index.ts';
import type { TemporalGateway } from '../temporal/gateway.ts';
import { readDetail } from '../temporal/progress.ts';
import { startOnce } from '../temporal/start.ts';
import { started, startHeaders } from './started.ts';
import { WorkflowParams, workflowResource } from './workflows.ts';

export interface BatchScoreOptions {
  readonly temporal: TemporalGateway;
  readonly artifacts: Pick<ArtifactStore, 'put' | 'path'>;
  readonly uploads: Pick<Datasets, 'noteUpload' | 'upload'>;
  readonly aliases: Pick<AliasLog, 'current'>;
  /** @throws MODEL_UNKNOWN */
  readonly requireModel: (model: string) => Promise<unknown>;
}

const [CSV, NDJSON] = RECORD_TYPES;
const MEDIA_TYPES = { csv: CSV, ndjson: NDJSON } as const;
const UPLOAD: UploadBody = { types: RECORD_TYPES, limit: 4 * 2 ** 30 };
/** A file over a slow line. */
const LONG_MS = 600_000;
const workflowType = 'batchScore';

/** Files that are scored by a workflow: the file first, then the run, then what it predicted. */
export function batchScoreRoutes(options: BatchScoreOptions): Route[] {
  return [uploadRoute(options), startRoute(options), predictionsRoute(options)];
}

function uploadRoute({ artifacts, uploads }: BatchScoreOptions): Route {
  return route({
    method: 'post',
    path: '/v1/score-files',
    operationId: 'uploadScoreFile',
    tag: 'Inference',
    summary: 'Send a file of records that a workflow is to score',
    description:
      'CSV with a header line, or NDJSON, stored whole or not at all; nothing of it is read here. ' +
      '`POST /v1/workflows/batch-score` scores it. A file that nobody scores is removed after a day.',
    access: 'workflow:start',
    resource: () => ({ workflowType }),
    upload: UPLOAD,
    timeout: LONG_MS,
    success: { status: 201, description: 'Digest and size of what arrived.', schema: ScoreUpload },
    errors: ['ARTIFACT_WRITE_FAILED', 'DATABASE_UNAVAILABLE', 'UNAVAILABLE'],
    handler: async ({ caller, request }) => {
      const { bytes, sha256 } = await artifacts.put(uploadedBytes(request, UPLOAD), { mediaType: CSV });
      await uploads.noteUpload({ tenant: caller.tenant, sha256, bytes, uploadedBy: caller.sub });
      return { sha256, bytes };
    },
  });
}

function startRoute({ temporal, uploads, aliases, requireModel }: BatchScoreOptions): Route {
  return route({
    method: 'post',
    path: '/v1/workflows/batch-score',
    operationId: 'startBatchScore',
    tag: 'Workflows',
    summary: 'Score every record of a file that was sent, by the version that an alias means now',
    description:
      'Records that the model cannot be asked about are refused one by one, with line and reason. Limits, quotas and ' +
      'protections of the model are those of its requests. Read the result at `/v1/workflows/{id}/predictions`.',
    access: 'workflow:start',
    resource: () => ({ workflowType }),
    bodyResource: { anyOf: [{}], of: ({ model }) => ({ model }) },
    headers: startHeaders,
    body: ScoreRequest,
    success: started,
    errors: ['MODEL_UNKNOWN', 'ALIAS_UNKNOWN', 'DATASET_UPLOAD_UNKNOWN', 'IDEMPOTENCY_MISMATCH', 'UNAVAILABLE'],
    auditDetail: ({ body: { model, alias, upload } }) => ({ model: `${model}@${alias}`, upload }),
    handler: async ({ body, headers: given, caller, response }) => {
      const { model, alias, upload, format } = body;
      const { bytes } = await uploads.upload(caller.tenant, upload);
      await requireModel(model);
      if ((await aliases.current(model, alias)) === undefined) {
        throw new ApiError('ALIAS_UNKNOWN', `${model} has no alias ${alias}.`, { field: 'body.alias' });
      }
      const input: ScoreInput = {
        ...{ model, alias, format },
        file: { uri: `cas://sha256/${upload}`, sha256: upload, bytes, mediaType: MEDIA_TYPES[format] },
        ...{ requestedBy: caller.sub, roles: [...caller.roles], tenant: caller.tenant },
        ...(caller.scope && { apiKey: caller.scope.id }),
      };
      const run = await startOnce(temporal, 'score', {
        start: scoreStart(input),
        input,
        idempotency: { key: given['idempotency-key'], subject: caller.sub, body },
      });
      response.location(run.links.self);
      return run;
    },
  });
}

function predictionsRoute({ temporal, artifacts }: BatchScoreOptions): Route {
  return route({
    method: 'get',
    path: '/v1/workflows/{id}/predictions',
    operationId: 'downloadPredictions',
    tag: 'Workflows',
    summary: 'What a file was scored with: a prediction a line, or the refused records with line and reason',
    description: 'For whoever started the workflow, once it has ended. Kept for seven days.',
    access: 'score:read',
    resource: ({ id }) => workflowResource(temporal, id),
    params: WorkflowParams,
    query: z.strictObject({ part: z.enum(['predictions', 'refused']).default('predictions') }),
    audited: true,
    auditDetail: ({ params: { id }, query: { part } }) => ({ workflowId: id, part }),
    timeout: LONG_MS,
    success: {
      status: 200,
      description: 'NDJSON, in the order of the file.',
      mediaType: NDJSON,
      headers: { 'Repr-Digest': 'SHA-256 of the whole file (RFC 9530).' },
    },
    errors: ['WORKFLOW_UNKNOWN', 'SCORE_NOT_THERE', 'ARTIFACT_NOT_FOUND', 'ARTIFACT_DIGEST_MISMATCH', 'UNAVAILABLE'],
    handler: async ({ params: { id }, query: { part }, response, signal }) => {
      const { type, result } = await readDetail(temporal, id);
      if (type !== workflowType) throw new ApiError('WORKFLOW_UNKNOWN', `${id} scores no file.`, { field: 'path.id' });
      const ref = ScoreResult.safeParse(result).data?.[part];
      if (ref === undefined) throw new ApiError('SCORE_NOT_THERE', `${id} has no ${part}.`, { field: 'path.id' });
      const path = await artifacts.path(ref);
      const digest = Buffer.from(ref.sha256, 'hex').toString('base64');
      response.set({
        'Content-Type': NDJSON,
        'Content-Length': String(ref.bytes),
        'Repr-Digest': `sha-256=:${digest}:`,
      });
      await pipeline(createReadStream(path), response, { signal });
    },
  });
}

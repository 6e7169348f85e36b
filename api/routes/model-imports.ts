import { ImportRequest, ModelUpload, type ImportInput } from '../../contracts/import-model.ts';
import { importStart } from '../../contracts/workflows.ts';
import { TrainGates } from '../../contracts/train-register-deploy.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import type { ModelUploads } from '../../lib/clients/index.ts';
import { SCAN_LIMITS } from '../../lib/onnx/index.ts';
import { route, type Route, type UploadBody } from '../http/route.ts';
import { uploadedBytes } from '../http/upload.ts';
import type { TemporalGateway } from '../temporal/gateway.ts';
import { startOnce } from '../temporal/start.ts';
import { started, startHeaders } from './started.ts';

export interface ModelImportsOptions {
  readonly temporal: TemporalGateway;
  readonly artifacts: Pick<ArtifactStore, 'put'>;
  readonly uploads: Pick<ModelUploads, 'note' | 'find'>;
  /** Of the tenant, or built in. @throws DATASET_UNKNOWN */
  readonly requireDataset: (dataset: string, tenant: string) => Promise<unknown>;
}

const ONNX = 'application/onnx';
const UPLOAD: UploadBody = { types: [ONNX, 'application/octet-stream'], limit: SCAN_LIMITS.bytes };
/** A file over a slow line. */
const LONG_MS = 600_000;
/** Seed of the platform's own splits, so that what an import measures is what other models are measured on. */
const SEED = 42;

/** Models from elsewhere: the file first, then the workflow that judges it. */
export function modelImportRoutes(options: ModelImportsOptions): Route[] {
  return [uploadRoute(options), startRoute(options)];
}

function uploadRoute({ artifacts, uploads }: ModelImportsOptions): Route {
  return route({
    method: 'post',
    path: '/v1/models/imports',
    operationId: 'uploadModel',
    tag: 'Models',
    summary: 'Send an ONNX file from elsewhere',
    description:
      'The file is stored whole or not at all, and nothing of it is read here. `POST /v1/workflows/import-model` imports it.',
    access: 'model:import',
    upload: UPLOAD,
    timeout: LONG_MS,
    success: { status: 201, description: 'Digest and size of what arrived.', schema: ModelUpload },
    errors: ['ARTIFACT_WRITE_FAILED', 'DATABASE_UNAVAILABLE', 'UNAVAILABLE'],
    handler: async ({ caller, request }) => {
      const { bytes, sha256 } = await artifacts.put(uploadedBytes(request, UPLOAD), { mediaType: ONNX });
      await uploads.note({ tenant: caller.tenant, sha256, bytes, uploadedBy: caller.sub });
      return { sha256, bytes };
    },
  });
}

function startRoute({ temporal, uploads, requireDataset }: ModelImportsOptions): Route {
  return route({
    method: 'post',
    path: '/v1/workflows/import-model',
    operationId: 'startImport',
    tag: 'Workflows',
    summary:
      'Judge, wrap and measure a model from elsewhere; gate, sign and register it; bring it to the champion alias',
    access: 'workflow:start',
    resource: () => ({ workflowType: 'importModel' }),
    headers: startHeaders,
    body: ImportRequest,
    success: started,
    errors: ['MODEL_UPLOAD_UNKNOWN', 'DATASET_UNKNOWN', 'IDEMPOTENCY_MISMATCH', 'UNAVAILABLE'],
    auditDetail: ({ body: { card, registerAs, upload } }) => ({ model: registerAs ?? card.name, upload }),
    handler: async ({ body, headers: given, caller, response }) => {
      const { bytes } = await uploads.find(caller.tenant, body.upload);
      await requireDataset(body.card.dataset, caller.tenant);
      const input: ImportInput = {
        file: { uri: `cas://sha256/${body.upload}`, sha256: body.upload, bytes, mediaType: ONNX },
        card: body.card,
        registerAs: body.registerAs ?? body.card.name,
        seed: SEED,
        gates: TrainGates.parse(body.gates ?? {}),
        approval: body.approval,
        onFailure: body.onFailure,
        rollout: body.rollout,
        requestedBy: caller.sub,
        tenant: caller.tenant,
      };
      const run = await startOnce(temporal, 'import', {
        start: importStart(input),
        input,
        idempotency: { key: given['idempotency-key'], subject: caller.sub, body },
      });
      response.location(run.links.self);
      return run;
    },
  });
}

import { z } from 'zod';
import { AddDatasetRequest, AddDatasetResult, Upload, WithdrawQuery } from '../../contracts/own-data.ts';
import { Name } from '../../contracts/reference.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import type { Datasets } from '../../lib/clients/index.ts';
import { addDataset, type DatasetCatalogue } from '../../lib/datasets/index.ts';
import { ApiError } from '../errors.ts';
import { route, type Route, type UploadBody } from '../http/route.ts';
import { uploadedBytes } from '../http/upload.ts';

export interface DatasetRoutesOptions {
  readonly catalogue: DatasetCatalogue;
  readonly datasets: Datasets;
  readonly artifacts: ArtifactStore;
  /** Largest file, in MiB. */
  readonly uploadMib: number;
  /** Base URL of the API, where cards can be read. */
  readonly url: string;
}

const tag = 'Data sets';
const CSV = 'text/csv';
/** A file over a slow line, or a million rows on a slow machine. */
const LONG_MS = 600_000;
/** Tables that are read at once: each keeps a core busy. */
const READERS = 2;

export function datasetWriteRoutes(options: DatasetRoutesOptions): Route[] {
  return [uploadRoute(options), addRoute(options), withdrawRoute(options)];
}

function uploadRoute({ artifacts, datasets, uploadMib }: DatasetRoutesOptions): Route {
  const upload: UploadBody = { types: [CSV, 'text/tab-separated-values'], limit: uploadMib * 2 ** 20 };
  return route({
    method: 'post',
    path: '/v1/datasets/uploads',
    operationId: 'uploadDatasetFile',
    tag,
    summary: 'Send the CSV file of a data set',
    description: 'The file is stored whole or not at all. `POST /v1/datasets` makes a data set of it.',
    access: 'dataset:write',
    upload,
    timeout: LONG_MS,
    success: { status: 201, description: 'Digest and size of what arrived.', schema: Upload },
    errors: ['ARTIFACT_WRITE_FAILED', 'DATABASE_UNAVAILABLE', 'UNAVAILABLE'],
    handler: async ({ caller, request }) => {
      const { bytes, sha256 } = await artifacts.put(uploadedBytes(request, upload), { mediaType: CSV });
      await datasets.noteUpload({ tenant: caller.tenant, sha256, bytes, uploadedBy: caller.sub });
      return { sha256, bytes };
    },
  });
}

function addRoute({ artifacts, datasets, url }: DatasetRoutesOptions): Route {
  let reading = 0;
  return route({
    method: 'post',
    path: '/v1/datasets',
    operationId: 'addDataset',
    tag,
    summary: 'Make a data set of an uploaded file: infer its schema, measure it, write its card',
    description:
      'The same file with the same options is the version that is there. A table with a problem is refused, with up to ' +
      '20 problems that name line and column.',
    access: 'dataset:write',
    body: AddDatasetRequest,
    timeout: LONG_MS,
    success: { status: 201, description: 'The version, and what was measured.', schema: AddDatasetResult },
    errors: [
      'DATASET_UPLOAD_UNKNOWN',
      'DATASET_NAME_TAKEN',
      'DATASET_CARD_INVALID',
      'DATASET_TABLE_INVALID',
      'ARTIFACT_NOT_FOUND',
      'DEVICE_OUT_OF_MEMORY',
      'RATE_LIMITED',
      'UNAVAILABLE',
    ],
    auditDetail: ({ body: { name, upload, card } }) => ({ dataset: name, upload, licence: card.licence }),
    handler: async ({ body, caller, signal }) => {
      const { bytes } = await datasets.upload(caller.tenant, body.upload);
      if (reading >= READERS) {
        throw new ApiError('RATE_LIMITED', 'Other tables are being read.', { headers: { 'Retry-After': '30' } });
      }
      reading += 1;
      try {
        return await addDataset({
          request: body,
          file: { uri: `cas://sha256/${body.upload}`, sha256: body.upload, bytes, mediaType: CSV },
          ...{ tenant: caller.tenant, addedBy: caller.sub, signal },
          ...{ store: artifacts, versions: datasets },
          home: new URL(`/v1/datasets/${body.name}`, url).href,
        });
      } finally {
        reading -= 1;
      }
    },
  });
}

function withdrawRoute({ datasets }: DatasetRoutesOptions): Route {
  return route({
    method: 'delete',
    path: '/v1/datasets/{name}',
    operationId: 'withdrawDataset',
    tag,
    summary: 'Take an added data set out of use',
    description: 'Its versions are kept for the models that were made of them, and no new one can be made of them.',
    access: 'dataset:write',
    params: z.strictObject({ name: Name }),
    query: WithdrawQuery,
    success: { status: 204, description: 'No version is in use any more.' },
    errors: ['DATASET_UNKNOWN', 'DATABASE_UNAVAILABLE'],
    auditDetail: ({ params: { name }, query: { reason } }) => ({ dataset: name, reason }),
    handler: async ({ caller, params: { name }, query: { reason } }) => {
      const withdrawn = await datasets.withdraw(caller.tenant, name, reason);
      if (withdrawn > 0) return;
      throw new ApiError('DATASET_UNKNOWN', `No version of ${name} that somebody added is in use.`, {
        field: 'path.name',
      });
    },
  });
}

import { once } from 'node:events';
import type { Response } from 'express';
import { z } from 'zod';
import { isSaipError } from '../../contracts/errors.ts';
import type { FeatureRecord, PredictResponse } from '../../contracts/predict.ts';
import { route, type RequestContext, type Route, type UploadBody } from '../http/route.ts';
import { uploadedBytes } from '../http/upload.ts';
import {
  RECORD_TYPES,
  featuresOf,
  predict,
  readRecords,
  recordDenial,
  recorded,
  type InferenceKeepers,
  type ServedModels,
} from '../serving/index.ts';
import { GUARD_ERRORS, MODEL_ERRORS, ModelAtAlias } from './model-at-alias.ts';

export interface ScoreRouteOptions extends InferenceKeepers {
  readonly served: ServedModels;
}

const NDJSON = 'application/x-ndjson';
const upload: UploadBody = { types: RECORD_TYPES, limit: 2 ** 30 };
/** Records that go through the graph together, and are one record of the audit log. */
const BATCH = 256;
/** As long as the server lets a request be sent. */
const TIMEOUT_MS = 600_000;

/** Files of records, answered while they arrive: memory does not grow with the file. */
export function scoreRoute({ served, ...keepers }: ScoreRouteOptions): Route {
  return route({
    method: 'post',
    path: '/v1/models/{model}/score',
    operationId: 'scoreRecords',
    tag: 'Inference',
    summary: 'Predict every record of a file',
    description:
      'CSV with a header line, or NDJSON, of named features; answered in NDJSON, one prediction a line, while the file ' +
      'still arrives: read while you send. Each line names the version that answered. Where a ' +
      'record is wrong after the answer has begun, the last line has `error`, and the connection ends.',
    access: 'model:infer',
    // Each batch is recorded with its outcome, before it is answered.
    audited: false,
    denied: (denial) => recordDenial(keepers, denial),
    params: z.strictObject({ model: ModelAtAlias }),
    upload,
    timeout: TIMEOUT_MS,
    success: { status: 200, description: 'One prediction a record, in their order.', mediaType: NDJSON },
    errors: [...MODEL_ERRORS, 'TENSOR_INVALID', 'UNAVAILABLE', 'AUDIT_UNAVAILABLE', ...GUARD_ERRORS],
    handler: async (context) => {
      const { model: name, alias } = context.params.model;
      const { request, response, signal } = context;
      const features = featuresOf(served.resolve(name, alias));
      const type = request.is(NDJSON) === false ? 'text/csv' : NDJSON;
      const bytes = uploadedBytes(request, upload);
      let first = 0;
      try {
        for await (const records of batches(readRecords(bytes, type, features))) {
          const offset = first;
          const answer = await recorded(
            keepers,
            context,
            () => served.resolve(name, alias),
            (model) => predict(model, records, offset),
          );
          await write(context, answer, offset, signal);
          first += records.length;
        }
        begin(response);
        response.end();
      } catch (error) {
        if (response.headersSent) await say(response, lastWords(error));
        throw error;
      }
    },
  });
}

async function* batches(records: AsyncIterable<FeatureRecord>): AsyncGenerator<FeatureRecord[]> {
  let batch: FeatureRecord[] = [];
  for await (const record of records) {
    batch.push(record);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Waits where the client does not take what it gets: then nothing more is read of what it sends either. */
async function write(
  { response }: Pick<RequestContext, 'response'>,
  { predictions, warnings, version }: PredictResponse,
  first: number,
  signal: AbortSignal,
): Promise<void> {
  const notes = Map.groupBy(warnings, ({ record }) => record);
  const lines = predictions.map((prediction, index) => {
    const record = first + index;
    const own = notes.get(record)?.map(({ feature, message }) => ({ feature, message }));
    return `${JSON.stringify({ record, version, ...prediction, ...(own && { warnings: own }) })}\n`;
  });
  begin(response);
  if (response.write(lines.join(''))) return;
  await once(response, 'drain', { signal }).catch(() => signal.throwIfAborted());
}

function begin(response: Response): void {
  if (!response.headersSent) response.set('Content-Type', NDJSON);
}

/** Settles when the line is on its way, because the connection is cut next. */
async function say(response: Response, error: { code: string; detail: string }): Promise<void> {
  await new Promise<void>((resolve) => {
    response.write(`${JSON.stringify({ error })}\n`, () => resolve());
  });
}

/** What may be told of an error. */
function lastWords(error: unknown): { code: string; detail: string } {
  if (isSaipError(error)) return { code: error.code, detail: error.message };
  return { code: 'INTERNAL', detail: 'The server failed to answer this request.' };
}

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { WorkflowDetail, WorkflowStarted } from '../../contracts/api.ts';
import { ModelUpload } from '../../contracts/import-model.ts';
import type { Role } from '../../contracts/roles.ts';
import { bytesOf, forestModel } from '../onnx/support.ts';
import { World } from '../workflows/support/world.ts';
import { problemOf, startApi, type Answer, type TestApi } from './support/harness.ts';
import { createNamespace } from './support/namespace.ts';
import { until } from './support/until.ts';
import { startWorkers, type TestWorkers } from './support/workers.ts';

const UPLOADS = '/v1/models/imports';
const START = '/v1/workflows/import-model';

let api: TestApi;
let workers: TestWorkers;
beforeAll(async () => {
  const namespace = await createNamespace();
  api = await startApi({ TEMPORAL_NAMESPACE: namespace });
  workers = await startWorkers(namespace, new World().activities());
});
afterAll(async () => {
  await api.stop();
  await workers.stop();
});

const file = Buffer.from(bytesOf(forestModel()));
const sha256 = createHash('sha256').update(file).digest('hex');
const card = {
  ...{ name: 'imported-api', dataset: 'mnist', source: 'a test', licence: 'MIT', intendedUse: 'tests' },
  ...{ framework: { name: 'scikit-learn' }, trainingData: 'digits', input: {} },
  output: { name: 'scores', kind: 'probabilities', label: 'label' },
};

/** Sends bytes as they are; the harness sends text. */
async function upload(role: Role, body: Uint8Array<ArrayBuffer>, type = 'application/onnx'): Promise<Answer> {
  const answer = await fetch(`${api.url}${UPLOADS}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await api.token(role)}`, 'content-type': type },
    body,
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

describe('a file from elsewhere', () => {
  it('is stored as it was sent, and imported by its digest', async () => {
    const answer = await upload('trainer', new Uint8Array(file));
    expect(answer.status).toBe(201);
    expect(ModelUpload.parse(answer.body)).toEqual({ sha256, bytes: file.length });
    const json = { upload: sha256, card };
    const headers = { 'idempotency-key': 'import-once' };
    const started = await api.call('POST', START, { role: 'trainer', json, headers });
    expect(started.status).toBe(202);
    const { workflowId } = WorkflowStarted.parse(started.body);
    expect((await api.call('POST', START, { role: 'trainer', json, headers })).body).toMatchObject({ workflowId });
    const done = await until('the end of the import', async () => {
      const { body } = await api.call('GET', `/v1/workflows/${workflowId}`, { role: 'viewer' });
      const detail = WorkflowDetail.parse(body);
      return detail.status !== 'running' && detail;
    });
    expect(done).toMatchObject({
      ...{ type: 'importModel', status: 'completed', model: 'imported-api', requestedBy: 'local-trainer' },
      result: { outcome: 'completed', scan: { bytes: file.length }, registered: { model: 'imported-api' } },
    });
  });

  it.each<Role>(['viewer', 'predictor', 'approver', 'redteam', 'agent-operator', 'releaser', 'auditor'])(
    'is not taken from a %s, nor imported for them',
    async (role) => {
      expect(problemOf(await upload(role, new Uint8Array(file)))).toMatchObject({ code: 'FORBIDDEN' });
      const started = await api.call('POST', START, { role, json: { upload: sha256, card } });
      expect(problemOf(started)).toMatchObject({ code: 'FORBIDDEN' });
    },
  );

  it('is refused as another media type, and as nothing', async () => {
    expect(problemOf(await upload('trainer', new Uint8Array(file), 'text/html')).code).toBe('UNSUPPORTED_MEDIA_TYPE');
    expect(problemOf(await upload('trainer', new Uint8Array())).code).toBe('REQUEST_INVALID');
  });
});

describe('an import', () => {
  it.each([
    ['of a file that nobody sent', { upload: 'f'.repeat(64), card }, 'MODEL_UPLOAD_UNKNOWN', 'body.upload'],
    ['for data that is not there', { upload: sha256, card: { ...card, dataset: 'none' } }, 'DATASET_UNKNOWN', ''],
    [
      'with a card that says too little',
      { upload: sha256, card: { name: 'x' } },
      'REQUEST_INVALID',
      'body.card.dataset',
    ],
    [
      'with a robustness gate',
      { upload: sha256, card, gates: { robustness: {} } },
      'REQUEST_INVALID',
      'body.gates.robustness',
    ],
  ])('%s is refused', async (_, json, code, field) => {
    const problem = problemOf(await api.call('POST', START, { role: 'trainer', json }));
    expect(problem.code).toBe(code);
    if (field !== '') expect(problem.errors).toContainEqual(expect.objectContaining({ field }));
  });
});

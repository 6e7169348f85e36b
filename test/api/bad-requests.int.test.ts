import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import { ApiKeyCreated } from '../../contracts/api-keys.ts';
import { WorkflowStarted } from '../../contracts/api.ts';
import { JWT_TOKEN_TYPE, TOKEN_EXCHANGE } from '../../contracts/token.ts';
import { MisuseFlags } from '../../lib/clients/index.ts';
import { openResources } from '../../workers/shared/resources.ts';
import { createNamespace } from './support/namespace.ts';
import { problemOf, startApi, type TestApi } from './support/harness.ts';

let api: TestApi;
let workflow: string;
let apiKey: string;
let flag: number;

beforeAll(async () => {
  api = await startApi({ TEMPORAL_NAMESPACE: await createNamespace() });
  const { body } = await api.call('POST', '/v1/workflows/train-register-deploy', {
    role: 'trainer',
    json: { model: 'mnist-softmax' },
  });
  workflow = WorkflowStarted.parse(body).workflowId;
  // What policy is told about a schedule is looked up before its body is read.
  await api.call('POST', '/v1/schedules', { role: 'trainer', json: { ...schedule, paused: true } });
  const key = await api.call('POST', '/v1/api-keys', { role: 'admin', json: { name: 'x', roles: ['admin'] } });
  apiKey = ApiKeyCreated.parse(key.body).id;
  flag = await raiseFlag();
});

afterAll(() => api.stop());

/** An open flag, whose caller policy is asked about before the body is read. */
async function raiseFlag(): Promise<number> {
  const resources = openResources(api.config);
  try {
    const flags = new MisuseFlags(await resources.database());
    const caller = { tenant: 'default', subject: 'somebody', model: 'bad-requests' };
    await flags.raise({ ...caller, kind: 'query-budget', evidence: { rows: 2, budget: 1 } });
    return (await flags.list({ ...caller, all: false, limit: 1 }))[0]?.id ?? 0;
  } finally {
    await resources.close();
  }
}

const model = { name: 'm', layers: [{ type: 'dense', units: 10 }] };
const tensor = { name: 'x', shape: [1, 1], datatype: 'FP32', data: [1] };
const digest = 'a'.repeat(64);
const dataset = {
  name: 'orders',
  upload: digest,
  table: { target: 'y' },
  card: { licence: 'CC0-1.0', description: 'Orders.', creators: [{ type: 'Person', name: 'Ann' }] },
};
const modelCard = {
  ...{ name: 'forest', dataset: 'mnist', input: {}, output: { name: 'probabilities', kind: 'probabilities' } },
  ...{ framework: { name: 'scikit-learn' }, source: 'here', licence: 'CC0-1.0' },
  ...{ intendedUse: 'Tests.', trainingData: 'None.' },
};
const schedule = { id: 'nightly', train: { model: 'mnist-cnn' } };

/** Route → bodies that it must refuse, each with the field that the answer names. */
const BAD_BODIES: Readonly<Record<string, readonly (readonly [unknown, string])[]>> = {
  'post /v1/auth/token': [
    [{}, 'body.grant_type'],
    [{ grant_type: 'client_credentials', client_id: '', client_secret: 'x' }, 'body.client_id'],
    [{ grant_type: 'client_credentials', client_id: 'x', client_secret: 1 }, 'body.client_secret'],
    [{ grant_type: 'client_credentials', admin: true }, 'body.admin'],
    [{ grant_type: TOKEN_EXCHANGE, subject_token_type: JWT_TOKEN_TYPE }, 'body.subject_token'],
    [{ grant_type: TOKEN_EXCHANGE, subject_token: 'x', subject_token_type: 'x' }, 'body.subject_token_type'],
  ],
  'post /v1/auth/session': [
    [{}, 'body.token'],
    [{ token: '' }, 'body.token'],
    [{ client_id: 'x' }, 'body.client_secret'],
  ],
  'post /v1/auth/revoke': [
    [{}, 'body.token'],
    [{ token: 'x'.repeat(9000) }, 'body.token'],
    [{ token: 'x', token_type_hint: 7 }, 'body.token_type_hint'],
  ],
  'post /v1/api-keys': [
    [{}, 'body.name'],
    [{ name: 'x', roles: ['root'] }, 'body.roles[0]'],
    [{ name: 'x', roles: [] }, 'body.roles'],
    [{ name: 'x', actions: ['workflow:approve'] }, 'body.actions[0]'],
    [{ name: 'x', models: ['../etc'] }, 'body.models[0]'],
    [{ name: 'x', expiresInDays: 0 }, 'body.expiresInDays'],
    [{ name: 'x', owner: 'somebody else' }, 'body.owner'],
  ],
  'post /v1/api-keys/{id}/rotate': [
    [{ overlapSeconds: -1 }, 'body.overlapSeconds'],
    [{ key: 'mine' }, 'body.key'],
  ],
  'post /v1/limits': [
    [{}, 'body.kind'],
    [{ kind: 'friend', name: 'x', rate: 1 }, 'body.kind'],
    [{ kind: 'role', rate: 1 }, 'body.name'],
    [{ kind: 'everybody', name: 'x', rate: 1 }, 'body.name'],
    [{ kind: 'everybody' }, 'body.rate'],
    [{ kind: 'everybody', rate: -1 }, 'body.rate'],
    [{ kind: 'everybody', burst: 0 }, 'body.burst'],
    [{ kind: 'everybody', dailyRows: 1.5 }, 'body.dailyRows'],
    [{ kind: 'everybody', rate: 1, model: '../etc' }, 'body.model'],
    [{ kind: 'everybody', rate: 1, tenant: 'other' }, 'body.tenant'],
  ],
  'post /v1/limits/remove': [
    [{}, 'body.kind'],
    [{ kind: 'key' }, 'body.name'],
    [{ kind: 'everybody', rate: 1 }, 'body.rate'],
  ],
  'post /v1/misuse/flags/{id}/lift': [
    [{}, 'body.reason'],
    [{ reason: '  ' }, 'body.reason'],
    [{ reason: 'x'.repeat(501) }, 'body.reason'],
    [{ reason: 'x', liftedBy: 'somebody else' }, 'body.liftedBy'],
  ],
  'post /v1/models/{name}/protection': [
    [{}, 'body.settings'],
    [{ settings: { topK: 0 } }, 'body.settings.topK'],
    [{ settings: { decimals: 99 } }, 'body.settings.decimals'],
    [{ settings: { temperature: 0 } }, 'body.settings.temperature'],
    [{ settings: { onFlag: 'punish' } }, 'body.settings.onFlag'],
    [{ settings: { outOfRange: 'clip' } }, 'body.settings.outOfRange'],
    [{ settings: { minW: 2 } }, 'body.settings.minW'],
    [{ settings: {}, role: 'root' }, 'body.role'],
    [{ settings: {}, setBy: 'somebody else' }, 'body.setBy'],
  ],
  'post /v1/workflows/search-hyperparameters': [
    [{}, 'body.train'],
    [{ train: {} }, 'body.train.model'],
    [{ train: { model: 'mnist-cnn' }, objective: 'speed' }, 'body.objective'],
    [{ train: { model: 'mnist-cnn' }, budget: { trials: 0 } }, 'body.budget.trials'],
    [{ train: { model: 'mnist-cnn' }, requestedBy: 'somebody else' }, 'body.requestedBy'],
  ],
  'post /v1/models/{model}/predict': [
    [{}, 'body.records'],
    [{ records: [] }, 'body.records'],
    [{ records: [[1, 2]] }, 'body.records[0]'],
    [{ records: [{ x: 1 }], explain: true }, 'body.explain'],
  ],
  'post /v1/workflows/train-register-deploy': [
    [{}, 'body.model'],
    [{ model: 'NOT A NAME' }, 'body.model'],
    [{ model: 'mnist-cnn', seed: -1 }, 'body.seed'],
    [{ model: 'mnist-cnn', training: { epochs: 0 } }, 'body.training.epochs'],
    [{ model: 'mnist-cnn', training: { optimizer: { type: 'magic' } } }, 'body.training.optimizer.type'],
    [{ model: 'mnist-cnn', gates: { minAccuracy: 2 } }, 'body.gates.minAccuracy'],
    [{ model: 'mnist-cnn', gates: { robustness: { epsilon: 0.2 } } }, 'body.gates.robustness.minAccuracy'],
    [{ model: 'mnist-cnn', training: { adversarial: { epsilon: 2 } } }, 'body.training.adversarial.epsilon'],
    [{ model: 'mnist-cnn', approval: { timeoutSeconds: 0 } }, 'body.approval.timeoutSeconds'],
    [{ model: 'mnist-cnn', requestedBy: 'somebody else' }, 'body.requestedBy'],
    [{ model: { ...model, layers: [{ type: 'eval', code: 'x' }] } }, 'body.model.layers[0].type'],
    [{ model: { ...model, layers: [{ type: 'dense', units: 0 }] } }, 'body.model.layers[0].units'],
    [{ model }, 'body.training.epochs'],
  ],
  'post /v1/workflows/sign-and-release': [
    [{}, 'body.model'],
    [{ model: '../etc' }, 'body.model'],
    [{ model: 'm', version: 1 }, 'body.version'],
    [{ model: 'm', version: '../1' }, 'body.version'],
    [{ model: 'm', risk: 'none' }, 'body.risk'],
    [{ model: 'm', notes: '' }, 'body.notes'],
    [{ model: 'm', approval: { timeoutSeconds: 0 } }, 'body.approval.timeoutSeconds'],
    [{ model: 'm', requestedBy: 'somebody else' }, 'body.requestedBy'],
  ],
  'post /v1/datasets': [
    [{}, 'body.name'],
    [{ ...dataset, name: '../x' }, 'body.name'],
    [{ ...dataset, file: '../../etc/passwd' }, 'body.file'],
    [{ ...dataset, upload: 'x' }, 'body.upload'],
    [{ ...dataset, table: {} }, 'body.table.target'],
    [{ ...dataset, table: { target: 'y', columns: { x: 'text' } } }, 'body.table.columns.x'],
    [{ ...dataset, table: { target: 'y', delimiter: '"' } }, 'body.table.delimiter'],
    [{ ...dataset, card: {} }, 'body.card.licence'],
    [{ ...dataset, addedBy: 'somebody else' }, 'body.addedBy'],
  ],
  'post /v1/audit/erasures': [
    [{}, 'body.subject'],
    [{ subject: '' }, 'body.subject'],
    [{ subject: 'ann', everybody: true }, 'body.everybody'],
  ],
  'post /v1/workflows/import-model': [
    [{}, 'body.upload'],
    [{ upload: '../../x', card: modelCard }, 'body.upload'],
    [{ upload: digest, card: {} }, 'body.card.name'],
    [{ upload: digest, card: { ...modelCard, input: { layout: 'sideways' } } }, 'body.card.input.layout'],
    [{ upload: digest, card: { ...modelCard, output: { name: 'y', kind: 'guess' } } }, 'body.card.output.kind'],
    [{ upload: digest, card: modelCard, gates: { minAccuracy: 2 } }, 'body.gates.minAccuracy'],
    [{ upload: digest, card: modelCard, requestedBy: 'somebody else' }, 'body.requestedBy'],
  ],
  'post /v1/workflows/rollout': [
    [{ version: '1' }, 'body.model'],
    [{ model: 'm' }, 'body.version'],
    [{ model: 'm', version: 1 }, 'body.version'],
    [{ model: '../etc', version: '1' }, 'body.model'],
  ],
  'post /v1/workflows/rollback': [
    [{}, 'body.model'],
    [{ model: 'm', reason: '' }, 'body.reason'],
    [{ model: 'm', reason: 'x'.repeat(501) }, 'body.reason'],
    [{ model: 'm', force: true }, 'body.force'],
  ],
  'post /v1/workflows/attack-retest': [
    [{}, 'body.model'],
    [{ model: 'm', version: 'one' }, 'body.version'],
    [{ model: 'm', epsilons: [0] }, 'body.epsilons[0]'],
    [{ model: 'm', epsilons: [] }, 'body.epsilons'],
    [{ model: 'm', attacks: [{ kind: 'magic' }] }, 'body.attacks[0].kind'],
    [{ model: 'm', attacks: [{ kind: 'pgd', steps: 0 }] }, 'body.attacks[0].steps'],
    [{ model: 'm', samples: 0 }, 'body.samples'],
    [{ model: 'm', goal: { minRobustAccuracy: 2 } }, 'body.goal.minRobustAccuracy'],
    [{ model: 'm', harden: { training: { epochs: 0 } } }, 'body.harden.training.epochs'],
    [{ model: 'm', budget: { rounds: 99 } }, 'body.budget.rounds'],
    [{ model: 'm', requestedBy: 'somebody else' }, 'body.requestedBy'],
  ],
  'post /v1/workflows/agent-task': [
    [{}, 'body.agent'],
    [{ agent: 'Not A Name', question: 'x' }, 'body.agent'],
    [{ agent: 'model-analyst', question: '   ' }, 'body.question'],
    [{ agent: 'model-analyst', question: 'x'.repeat(2001) }, 'body.question'],
    [{ agent: 'model-analyst', question: 'x', model: 'other' }, 'body.model'],
    [{ agent: 'model-analyst', question: 'x', budget: { steps: 0 } }, 'body.budget.steps'],
    [{ agent: 'model-analyst', question: 'x', approval: { timeoutSeconds: 0 } }, 'body.approval.timeoutSeconds'],
    [{ agent: 'model-analyst', question: 'x', tools: ['rm'] }, 'body.tools'],
  ],
  'post /v1/workflows/{id}/approve': [
    [{}, 'body.decision'],
    [{ decision: 'maybe', subjectDigest: digest }, 'body.decision'],
    [{ decision: 'approve', subjectDigest: 'abc' }, 'body.subjectDigest'],
    [{ decision: 'approve', subjectDigest: digest, sub: 'somebody else' }, 'body.sub'],
    [{ decision: 'approve', subjectDigest: digest, comment: 'x'.repeat(2001) }, 'body.comment'],
  ],
  'post /v1/workflows/{id}/cancel': [
    [{}, 'body.reason'],
    [{ reason: '' }, 'body.reason'],
  ],
  'post /v1/workflows/{id}/retry': [
    [{}, 'body.stage'],
    [{ stage: 7 }, 'body.stage'],
  ],
  'post /v1/schedules': [
    [{ ...schedule, id: undefined }, 'body.id'],
    [{ ...schedule, id: 'Not A Name' }, 'body.id'],
    [{ ...schedule, cron: 'sometimes' }, 'body.cron'],
    [{ ...schedule, cron: '0 3 * *' }, 'body.cron'],
    [{ ...schedule, overlap: 'terminate-other' }, 'body.overlap'],
    [{ id: 'nothing' }, 'body.train'],
    [{ ...schedule, attack: { model: 'mnist-cnn' } }, 'body.train'],
    [{ id: 'nightly', attack: { model: 'mnist-cnn', samples: -1 } }, 'body.attack.samples'],
    [{ ...schedule, train: {} }, 'body.train.model'],
    [{ ...schedule, train: { model: 'mnist-cnn', training: { batchSize: 0 } } }, 'body.train.training.batchSize'],
  ],
  'post /v1/schedules/{id}/trigger': [[{ note: 1 }, 'body.note']],
  'post /v1/schedules/{id}/pause': [[{ note: 'x'.repeat(501) }, 'body.note']],
  'post /v1/schedules/{id}/unpause': [[{ until: 'later' }, 'body.until']],
  'post /v1/codec/decode': [
    [{}, 'body.payloads'],
    [{ payloads: [{ data: 'not base64!' }] }, 'body.payloads[0].data'],
    [{ payloads: [{ metadata: { encoding: 7 } }] }, 'body.payloads[0].metadata.encoding'],
  ],
  'post /v2/models/{model}/infer': [
    [{}, 'body.inputs'],
    [{ inputs: [] }, 'body.inputs'],
    [{ inputs: [{ ...tensor, shape: [-1] }] }, 'body.inputs[0].shape[0]'],
    [{ inputs: [{ ...tensor, datatype: 'FLOAT' }] }, 'body.inputs[0].datatype'],
    [{ inputs: [{ ...tensor, data: 'AAAA' }] }, 'body.inputs[0].data'],
    [{ id: 7, inputs: [tensor] }, 'body.id'],
  ],
  'post /v2/repository/index': [[{ ready: 'yes' }, 'body.ready']],
  'post /v2/repository/models/{model}/load': [[{ parameters: { config: {} } }, 'body.parameters.config']],
  'post /v2/repository/models/{model}/unload': [[{ parameters: 7 }, 'body.parameters']],
  'post /v2/models/{model}/versions/{version}/infer': [[{ inputs: [{ ...tensor, name: '' }] }, 'body.inputs[0].name']],
};

/** Values for the parameters of a path. */
function pathOf(path: string): string {
  return path
    .replace('/workflows/{id}', `/workflows/${workflow}`)
    .replace('/api-keys/{id}', `/api-keys/${apiKey}`)
    .replace('/flags/{id}', `/flags/${flag}`)
    .replace('{id}', 'nightly')
    .replace('{name}', 'mnist-cnn')
    .replace('{model}', 'mnist-cnn')
    .replace('{version}', '1');
}

const JSON_ROUTES = Object.keys(BAD_BODIES);

describe('a bad body', () => {
  it('has a case for every route that takes one', () => {
    const withBody = api.routes.filter(({ body }) => body).map(({ method, path }) => `${method} ${path}`);
    expect(withBody.sort()).toEqual(Object.keys(BAD_BODIES).sort());
  });

  const cases = Object.entries(BAD_BODIES).flatMap(([route, bodies]) =>
    bodies.map(([body, field]) => [route, field, body] as const),
  );
  it.each(cases)('of %s is refused, naming %s', async (route, field, json) => {
    const [method = '', path = ''] = route.split(' ');
    const answer = await api.call(method.toUpperCase(), pathOf(path), { role: 'admin', json });
    expect(answer.status).toBe(400);
    const { code, errors } = problemOf(answer);
    expect(code).toBe('REQUEST_INVALID');
    expect(errors?.map((error) => error.field)).toContain(field);
  });

  it.each(JSON_ROUTES)('of %s that is no JSON is refused', async (route) => {
    const [method = '', path = ''] = route.split(' ');
    const headers = { 'content-type': 'application/json' };
    const answer = await api.call(method.toUpperCase(), pathOf(path), { role: 'admin', headers, body: '{"a":' });
    expect(answer.status).toBe(400);
    expect(problemOf(answer)).toMatchObject({ code: 'REQUEST_INVALID', errors: [{ field: 'body' }] });
  });

  it.each(JSON_ROUTES)('of %s in another media type is refused', async (route) => {
    const [method = '', path = ''] = route.split(' ');
    const headers = { 'content-type': 'text/plain' };
    const answer = await api.call(method.toUpperCase(), pathOf(path), { role: 'admin', headers, body: 'hello' });
    expect(answer.status).toBe(415);
    expect(problemOf(answer).errors).toEqual([expect.objectContaining({ field: 'header.content-type' })]);
  });

  it.each(JSON_ROUTES)('of %s that is no object is refused', async (route) => {
    const [method = '', path = ''] = route.split(' ');
    for (const json of [null, [], 'text', 7]) {
      const answer = await api.call(method.toUpperCase(), pathOf(path), { role: 'admin', json });
      expect(answer.status).toBe(400);
      expect(problemOf(answer).errors?.length).toBeGreaterThan(0);
    }
  });

  it('that is too large is refused with 413', async () => {
    const json = { model: 'm', reason: 'x'.repeat(300 * 1024) };
    const answer = await api.call('POST', '/v1/workflows/rollback', { role: 'admin', json });
    expect(answer.status).toBe(413);
    expect(problemOf(answer).code).toBe('REQUEST_TOO_LARGE');
  });

  it('that is missing is refused', async () => {
    const answer = await api.call('POST', '/v1/workflows/rollback', { role: 'admin' });
    expect(answer.status).toBe(400);
    expect(problemOf(answer).errors).toEqual([expect.objectContaining({ field: 'body' })]);
  });

  it('with a broken length is refused', async () => {
    const status = await new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': '5' };
      const outgoing = request(`${api.url}/v1/auth/token`, { method: 'POST', headers }, (answer) => {
        resolve(answer.statusCode);
      });
      outgoing.on('error', reject);
      outgoing.end('{"a":');
    });
    expect(status).toBe(400);
  });
});

describe('a bad path, query or header', () => {
  it.each([
    ['/v1/workflows?limit=0', 'query.limit'],
    ['/v1/workflows?limit=1000', 'query.limit'],
    ['/v1/workflows?limit=many', 'query.limit'],
    ['/v1/workflows?limit=1&limit=2', 'query.limit'],
    ['/v1/workflows?type=evil', 'query.type'],
    ['/v1/workflows?status=odd', 'query.status'],
    [`/v1/workflows?model=${encodeURIComponent("x' OR ''='")}`, 'query.model'],
    ['/v1/workflows?pageToken=%20', 'query.pageToken'],
    ['/v1/workflows?sort=asc', 'query.sort'],
    ['/v1/models?pageToken=!!', 'query.pageToken'],
    ['/v1/models/UPPER', 'path.name'],
    ['/v1/models/m/versions?pageToken=YWJj', 'query.pageToken'],
    ['/v1/models/m/history?at=yesterday', 'query.at'],
    ['/v1/models/m/history?alias=A', 'query.alias'],
    ['/v1/datasets/..%2F..', 'path.name'],
    ['/v1/schedules/UPPER', 'path.id'],
    ['/v1/usage?days=0', 'query.days'],
    ['/v1/misuse/flags?all=perhaps', 'query.all'],
    ['/v1/misuse/flags?pageToken=!!', 'query.pageToken'],
    ['/v2/models/a@b@c', 'path.model'],
    ['/v2/models/a@', 'path.model'],
  ])('%s is refused, naming %s', async (path, field) => {
    const answer = await api.call('GET', path, { role: 'admin' });
    expect(answer.status).toBe(400);
    expect(problemOf(answer).errors?.map((error) => error.field)).toContain(field);
  });

  it('is an Idempotency-Key with spaces or without end', async () => {
    for (const key of ['a b', 'x'.repeat(129)]) {
      const answer = await api.call('POST', '/v1/workflows/train-register-deploy', {
        role: 'trainer',
        headers: { 'idempotency-key': key },
        json: { model: 'mnist-cnn' },
      });
      expect(answer.status).toBe(400);
      expect(problemOf(answer).errors).toEqual([expect.objectContaining({ field: 'header.idempotency-key' })]);
    }
  });

  it('gives 404 with a problem, and on /v2 the error of the protocol', async () => {
    expect(problemOf(await api.call('GET', '/v1/nothing'))).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    const { detail, error } = problemOf(await api.call('GET', '/v2/models/nope', { role: 'predictor' }));
    expect(error).toBe(detail);
  });

  it('gives 405 with the methods that there are', async () => {
    const answer = await api.call('DELETE', '/v1/models/m', { role: 'admin' });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
    expect(problemOf(answer).code).toBe('METHOD_NOT_ALLOWED');
  });

  it('keeps the trace id of the caller', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    expect(problemOf(await api.call('GET', '/v1/nothing', { headers })).traceId).toBe(traceId);
  });
});

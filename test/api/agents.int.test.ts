import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AgentList } from '../../contracts/agent-api.ts';
import { WorkflowStarted } from '../../contracts/api.ts';
import { createNamespace } from './support/namespace.ts';
import { problemOf, startApi, type TestApi } from './support/harness.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ TEMPORAL_NAMESPACE: await createNamespace() });
});
afterAll(() => api.stop());

const ask = (json: unknown, role: 'agent-operator' | 'viewer' | 'trainer' = 'agent-operator', key?: string) =>
  api.call('POST', '/v1/workflows/agent-task', {
    role,
    json,
    ...(key !== undefined && { headers: { 'idempotency-key': key } }),
  });
const question = 'Which version of mnist-cnn is champion?';

describe('GET /v1/agents', () => {
  it('shows tools as the policy grants them to the chat model that is used', async () => {
    const { status, body } = await api.call('GET', '/v1/agents', { role: 'viewer' });
    expect(status).toBe(200);
    const [agent] = AgentList.parse(body).agents;
    expect(agent).toMatchObject({ name: 'model-analyst', models: ['embedded'], defaultModel: 'embedded' });
    expect(agent?.tools.map(({ name, granted }) => [name, granted])).toEqual([
      ['list_models', true],
      ['get_run_metrics', true],
      ['compare_versions', true],
      ['propose_rollback', false],
    ]);
    expect(agent?.tools[1]?.arguments).toMatchObject({ required: ['model'], additionalProperties: false });
  });
});

describe('POST /v1/workflows/agent-task', () => {
  it('is for agent operators', async () => {
    for (const role of ['viewer', 'trainer'] as const) {
      expect((await ask({ agent: 'model-analyst', question }, role)).status).toBe(403);
    }
  });

  it('starts the same task once', async () => {
    const body = { agent: 'model-analyst', question };
    const [first, second] = [await ask(body, 'agent-operator', 'k1'), await ask(body, 'agent-operator', 'k1')];
    expect(first.status).toBe(202);
    expect(WorkflowStarted.parse(second.body).workflowId).toBe(WorkflowStarted.parse(first.body).workflowId);
    const other = await ask({ ...body, question: 'Another?' }, 'agent-operator', 'k1');
    expect(problemOf(other)).toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
  });

  it.each([
    [{ agent: 'nobody', question }, 404, 'AGENT_UNKNOWN'],
    [{ agent: '../model-analyst', question }, 400, 'REQUEST_INVALID'],
    [{ agent: 'model-analyst', question: ' ' }, 400, 'REQUEST_INVALID'],
    [{ agent: 'model-analyst', question, model: 'remote' }, 422, 'CHAT_MODEL_NOT_CONFIGURED'],
    [{ agent: 'model-analyst', question, tools: ['propose_rollback'] }, 400, 'REQUEST_INVALID'],
    [{ agent: 'model-analyst', question, budget: { steps: 1000 } }, 400, 'REQUEST_INVALID'],
  ])('refuses %j with %i %s', async (body, status, code) => {
    const answer = await ask(body);
    expect(problemOf(answer)).toMatchObject({ status, code });
  });

  it('refuses a question with a secret, and does not repeat it', async () => {
    const secret = 'AKIAIOSFODNN7EXAMPLE';
    const answer = await ask({ agent: 'model-analyst', question: `Does ${secret} work?` });
    expect(problemOf(answer)).toMatchObject({ status: 422, code: 'AGENT_QUESTION_REFUSED' });
    expect(JSON.stringify(answer.body)).not.toContain(secret);
    const { body } = await api.call('GET', '/v1/workflows?type=agentTask', { role: 'viewer' });
    expect(JSON.stringify(body)).not.toContain(secret);
  });
});

describe('GET /v1/agent-tasks/{id}', () => {
  it('knows no workflow of another type, and none that is not there', async () => {
    const answer = await api.call('GET', '/v1/agent-tasks/nothing', { role: 'viewer' });
    expect(problemOf(answer)).toMatchObject({ status: 404, code: 'WORKFLOW_UNKNOWN' });
  });
});

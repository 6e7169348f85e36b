import { z } from 'zod';
import { AgentList, AgentTaskView } from '../../contracts/agent-api.ts';
import type { AgentView } from '../../contracts/agent-api.ts';
import { AgentTaskRequest, AgentTaskResult, Transcript } from '../../contracts/agent-task.ts';
import type { AgentTaskInput } from '../../contracts/agent-task.ts';
import { agentTaskStart } from '../../contracts/workflows.ts';
import { AgentError, agentNames, budgetOf, configuredModels, loadAgent, TOOLS } from '../../lib/agents/index.ts';
import type { LlmSettings, ToolPolicy } from '../../lib/agents/index.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import { Guard, SecretRegistry } from '../../lib/guardrails/index.ts';
import { ApiError } from '../errors.ts';
import { route, type Route } from '../http/route.ts';
import { below } from '../http/validate.ts';
import type { TemporalGateway } from '../temporal/gateway.ts';
import { readDetail } from '../temporal/progress.ts';
import { startOnce } from '../temporal/start.ts';
import { started, startHeaders } from './started.ts';
import { WorkflowParams, workflowResource } from './workflows.ts';

export interface AgentRoutesOptions {
  readonly temporal: TemporalGateway;
  readonly llm: LlmSettings;
  readonly policy: ToolPolicy;
  readonly artifacts: Pick<ArtifactStore, 'readJson'>;
}

const tag = 'Agents';

/** The API holds no secret that a question could be compared with; formats are found without. */
const guard = new Guard({ registry: new SecretRegistry() });

export function agentRoutes(options: AgentRoutesOptions): Route[] {
  return [listRoute(options), startRoute(options), taskRoute(options)];
}

function listRoute({ llm, policy }: AgentRoutesOptions): Route {
  return route({
    method: 'get',
    path: '/v1/agents',
    operationId: 'listAgents',
    tag,
    summary: 'Agents with their tools, what the policy grants them, and their budgets',
    access: 'agent:read',
    success: { status: 200, description: 'All of them.', schema: AgentList },
    handler: () => ({ agents: agentNames().map((name) => view(name, llm, policy)) }),
  });
}

function startRoute({ temporal, llm }: AgentRoutesOptions): Route {
  return route({
    method: 'post',
    path: '/v1/workflows/agent-task',
    operationId: 'startAgentTask',
    tag,
    summary: 'Let an agent work on a question',
    access: 'workflow:start',
    resource: () => ({ workflowType: 'agentTask' }),
    headers: startHeaders,
    body: AgentTaskRequest,
    success: started,
    errors: [
      'AGENT_UNKNOWN',
      'AGENT_QUESTION_REFUSED',
      'CHAT_MODEL_NOT_CONFIGURED',
      'IDEMPOTENCY_MISMATCH',
      'UNAVAILABLE',
    ],
    auditDetail: ({ body }) => ({ agent: body.agent, model: body.model ?? llm.model }),
    handler: async ({ body, headers, caller, response }) => {
      const resolved = below('body', () => resolve(body, llm));
      const input = { ...resolved, requestedBy: caller.sub, tenant: caller.tenant };
      const run = await startOnce(temporal, 'agent', {
        start: agentTaskStart(input),
        input,
        idempotency: { key: headers['idempotency-key'], subject: caller.sub, body },
      });
      response.location(run.links.self);
      return run;
    },
  });
}

function taskRoute({ temporal, artifacts }: AgentRoutesOptions): Route {
  return route({
    method: 'get',
    path: '/v1/agent-tasks/{id}',
    operationId: 'getAgentTask',
    tag,
    summary: 'A task of an agent with its transcript: questions, thoughts, decisions, results, answer',
    access: 'agent:read',
    resource: ({ id }) => workflowResource(temporal, id),
    params: WorkflowParams,
    success: { status: 200, description: 'The task.', schema: AgentTaskView },
    errors: ['WORKFLOW_UNKNOWN', 'ARTIFACT_NOT_FOUND', 'ARTIFACT_DIGEST_MISMATCH', 'UNAVAILABLE'],
    handler: async ({ params }) => {
      const workflow = await readDetail(temporal, params.id);
      if (workflow.type !== 'agentTask') {
        throw new ApiError('WORKFLOW_UNKNOWN', `${params.id} is no task of an agent.`);
      }
      const result = AgentTaskResult.safeParse(workflow.result).data;
      if (result?.transcript === undefined) return { workflow };
      return { workflow, transcript: await artifacts.readJson(result.transcript, Transcript) };
    },
  });
}

/**
 * The request with everything resolved that a workflow must not look up. A question with a secret in it is refused here,
 * before it is written into any history.
 * @throws AgentError AGENT_UNKNOWN, CHAT_MODEL_NOT_CONFIGURED, AGENT_QUESTION_REFUSED
 */
function resolve(request: AgentTaskRequest, llm: LlmSettings): Omit<AgentTaskInput, 'requestedBy' | 'tenant'> {
  const definition = loadAgent(request.agent);
  const model = request.model ?? llm.model;
  if (!configuredModels(llm).includes(model)) {
    throw new AgentError('CHAT_MODEL_NOT_CONFIGURED', `The chat model ${model} is not configured.`, { field: 'model' });
  }
  const secrets = guard.question(request.question).rules.filter((rule) => rule.startsWith('secret.'));
  if (secrets.length > 0) {
    const message = `The question seems to hold a secret: ${secrets.join(', ')}.`;
    throw new AgentError('AGENT_QUESTION_REFUSED', message, { field: 'question' });
  }
  return {
    agent: definition.name,
    question: request.question,
    model,
    budget: budgetOf(definition, request.budget),
    approvalSeconds: request.approval.timeoutSeconds,
  };
}

function view(name: string, llm: LlmSettings, policy: ToolPolicy): AgentView {
  const definition = loadAgent(name);
  const granted = new Map(policy.granted(definition, llm.model).map(({ tool, approval }) => [tool, approval]));
  const tools = TOOLS.filter((tool) => definition.tools.includes(tool.name)).map((tool) => ({
    name: tool.name,
    description: tool.description,
    granted: granted.has(tool.name),
    approval: granted.get(tool.name) ?? false,
    arguments: z.toJSONSchema(tool.schema),
  }));
  return {
    name: definition.name,
    description: definition.description,
    budget: definition.budget,
    models: configuredModels(llm),
    defaultModel: llm.model,
    tools,
  };
}

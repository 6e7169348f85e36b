import { AttackRequest, type AttackInput } from '../../contracts/attack-retest.ts';
import { ExtractionRequest, type ExtractionInput } from '../../contracts/extraction.ts';
import type { WorkflowStarted } from '../../contracts/api.ts';
import { RollbackRequest, RolloutRequest, type RolloutInput } from '../../contracts/registry.ts';
import { SearchRequest, type SearchInput } from '../../contracts/search.ts';
import { TrainRequest, type TrainInput } from '../../contracts/train-register-deploy.ts';
import {
  attackStart,
  extractionStart,
  rolloutStart,
  rolloutWorkflowId,
  searchStart,
  trainingStart,
} from '../../contracts/workflows.ts';
import { route, type Caller, type Route } from '../http/route.ts';
import { below } from '../http/validate.ts';
import type { TemporalGateway } from '../temporal/gateway.ts';
import { startLocked, startOnce } from '../temporal/start.ts';
import { started, startHeaders } from './started.ts';

export interface WorkflowStartsOptions {
  readonly temporal: TemporalGateway;
  /** @throws PRESET_UNKNOWN, DATASET_UNKNOWN, MODEL_CONFIG_INVALID, REQUEST_INVALID */
  readonly resolveTrainInput: (request: TrainRequest, requestedBy: string) => TrainInput;
  /** @throws SEARCH_SPACE_INVALID, REQUEST_INVALID */
  readonly resolveSearchInput: (request: SearchRequest, resolved: TrainInput) => SearchInput;
  /** @throws REQUEST_INVALID */
  readonly resolveAttackInput: (request: AttackRequest, requestedBy: string) => AttackInput;
  /** @throws PRESET_UNKNOWN */
  readonly resolveExtractionInput: (request: ExtractionRequest, requestedBy: string) => ExtractionInput;
  /** @throws MODEL_UNKNOWN, MODEL_VERSION_UNKNOWN */
  readonly requireVersion: (model: string, version: string) => Promise<unknown>;
  /** @throws MODEL_UNKNOWN */
  readonly requireModel: (model: string) => Promise<unknown>;
}

const tag = 'Workflows';

/** `POST /v1/workflows/{train-register-deploy|search-hyperparameters|rollout|rollback|attack-retest|measure-extraction}` */
export function workflowStartRoutes(options: WorkflowStartsOptions): Route[] {
  return [
    trainRoute(options),
    searchRoute(options),
    rolloutRoute(options),
    rollbackRoute(options),
    attackRoute(options),
    extractionRoute(options),
  ];
}

function trainRoute({ temporal, resolveTrainInput }: WorkflowStartsOptions): Route {
  return route({
    method: 'post',
    path: '/v1/workflows/train-register-deploy',
    operationId: 'startTraining',
    tag,
    summary: 'Train a network, gate, sign and register it, and bring it to the champion alias',
    access: 'workflow:start',
    resource: () => ({ workflowType: 'trainRegisterDeploy' }),
    headers: startHeaders,
    body: TrainRequest,
    success: started,
    errors: ['PRESET_UNKNOWN', 'DATASET_UNKNOWN', 'MODEL_CONFIG_INVALID', 'IDEMPOTENCY_MISMATCH', 'UNAVAILABLE'],
    auditDetail: ({ body }) => ({
      model: typeof body.model === 'string' ? body.model : body.model.name,
      ...(body.registerAs !== undefined && { registerAs: body.registerAs }),
    }),
    handler: async ({ body, headers: given, caller, response }) => {
      const resolved = below('body', () => resolveTrainInput(body, caller.sub));
      const input = { ...resolved, tenant: caller.tenant };
      const run = await startOnce(temporal, 'train', {
        start: trainingStart(input),
        input,
        idempotency: { key: given['idempotency-key'], subject: caller.sub, body },
      });
      response.location(run.links.self);
      return run;
    },
  });
}

function searchRoute({ temporal, resolveTrainInput, resolveSearchInput }: WorkflowStartsOptions): Route {
  return route({
    method: 'post',
    path: '/v1/workflows/search-hyperparameters',
    operationId: 'startSearch',
    tag,
    summary: 'Search for the best configuration of a network, then train, gate, sign and register it',
    access: 'workflow:start',
    resource: () => ({ workflowType: 'searchHyperparameters' }),
    headers: startHeaders,
    body: SearchRequest,
    success: started,
    errors: [
      'PRESET_UNKNOWN',
      'DATASET_UNKNOWN',
      'MODEL_CONFIG_INVALID',
      'SEARCH_SPACE_INVALID',
      'IDEMPOTENCY_MISMATCH',
      'UNAVAILABLE',
    ],
    auditDetail: ({ body: { train, budget } }) => ({
      model: typeof train.model === 'string' ? train.model : train.model.name,
      trials: String(budget.trials),
      minutes: String(budget.minutes),
    }),
    handler: async ({ body, headers: given, caller, response }) => {
      const resolved = below('body.train', () => resolveTrainInput(body.train, caller.sub));
      const train = { ...resolved, tenant: caller.tenant };
      const input = below('body', () => resolveSearchInput(body, train));
      const run = await startOnce(temporal, 'search', {
        start: searchStart(input),
        input,
        idempotency: { key: given['idempotency-key'], subject: caller.sub, body },
      });
      response.location(run.links.self);
      return run;
    },
  });
}

function rolloutRoute({ temporal, requireVersion }: WorkflowStartsOptions): Route {
  return route({
    method: 'post',
    path: '/v1/workflows/rollout',
    operationId: 'startRollout',
    tag,
    summary: 'Bring a registered version to the champion alias',
    access: 'workflow:start',
    resource: () => ({ workflowType: 'rolloutModel' }),
    headers: startHeaders,
    body: RolloutRequest,
    success: started,
    errors: ['MODEL_UNKNOWN', 'MODEL_VERSION_UNKNOWN', 'ROLLOUT_IN_PROGRESS', 'IDEMPOTENCY_MISMATCH', 'UNAVAILABLE'],
    auditDetail: ({ body }) => ({ model: body.model, version: body.version }),
    handler: async ({ body, headers: given, caller, response }) => {
      await requireVersion(body.model, body.version);
      const input: RolloutInput = { kind: 'promote', ...body, requestedBy: caller.sub };
      return startRollout(temporal, { input, caller, key: given['idempotency-key'], body }, (path) =>
        response.location(path),
      );
    },
  });
}

function rollbackRoute({ temporal, requireModel, requireVersion }: WorkflowStartsOptions): Route {
  return route({
    method: 'post',
    path: '/v1/workflows/rollback',
    operationId: 'startRollback',
    tag,
    summary: 'Bring the former champion, or a named version, back',
    access: 'model:rollback',
    headers: startHeaders,
    body: RollbackRequest,
    success: started,
    errors: ['MODEL_UNKNOWN', 'MODEL_VERSION_UNKNOWN', 'ROLLOUT_IN_PROGRESS', 'IDEMPOTENCY_MISMATCH', 'UNAVAILABLE'],
    auditDetail: ({ body }) => ({ model: body.model, reason: body.reason, toVersion: body.toVersion ?? '' }),
    handler: async ({ body, headers: given, caller, response }) => {
      await (body.toVersion === undefined ? requireModel(body.model) : requireVersion(body.model, body.toVersion));
      const input: RolloutInput = { kind: 'rollback', ...body, requestedBy: caller.sub };
      return startRollout(temporal, { input, caller, key: given['idempotency-key'], body }, (path) =>
        response.location(path),
      );
    },
  });
}

function attackRoute({ temporal, resolveAttackInput, requireModel, requireVersion }: WorkflowStartsOptions): Route {
  return route({
    method: 'post',
    path: '/v1/workflows/attack-retest',
    operationId: 'startAttack',
    tag,
    summary: 'Attack a registered version, harden it when it breaks, and attack again',
    access: 'workflow:start',
    resource: () => ({ workflowType: 'attackRetest' }),
    headers: startHeaders,
    body: AttackRequest,
    success: started,
    errors: ['MODEL_UNKNOWN', 'MODEL_VERSION_UNKNOWN', 'IDEMPOTENCY_MISMATCH', 'UNAVAILABLE'],
    auditDetail: ({ body }) => ({ model: body.model, version: body.version ?? 'champion' }),
    handler: async ({ body, headers: given, caller, response }) => {
      await (body.version === undefined ? requireModel(body.model) : requireVersion(body.model, body.version));
      const input = { ...below('body', () => resolveAttackInput(body, caller.sub)), tenant: caller.tenant };
      const run = await startOnce(temporal, 'attack', {
        start: attackStart(input),
        input,
        idempotency: { key: given['idempotency-key'], subject: caller.sub, body },
      });
      response.location(run.links.self);
      return run;
    },
  });
}

function extractionRoute(options: WorkflowStartsOptions): Route {
  const { temporal, resolveExtractionInput, requireModel, requireVersion } = options;
  return route({
    method: 'post',
    path: '/v1/workflows/measure-extraction',
    operationId: 'startExtraction',
    tag,
    summary: 'Measure how many queries a copy of a registered version takes',
    access: 'workflow:start',
    resource: () => ({ workflowType: 'measureExtraction' }),
    headers: startHeaders,
    body: ExtractionRequest,
    success: started,
    errors: ['MODEL_UNKNOWN', 'MODEL_VERSION_UNKNOWN', 'PRESET_UNKNOWN', 'IDEMPOTENCY_MISMATCH', 'UNAVAILABLE'],
    auditDetail: ({ body }) => ({ model: body.model, version: body.version ?? 'champion' }),
    handler: async ({ body, headers: given, caller, response }) => {
      await (body.version === undefined ? requireModel(body.model) : requireVersion(body.model, body.version));
      const input = { ...below('body', () => resolveExtractionInput(body, caller.sub)), tenant: caller.tenant };
      const run = await startOnce(temporal, 'extraction', {
        start: extractionStart(input),
        input,
        idempotency: { key: given['idempotency-key'], subject: caller.sub, body },
      });
      response.location(run.links.self);
      return run;
    },
  });
}

interface RolloutStartRequest {
  readonly input: RolloutInput;
  readonly caller: Caller;
  readonly key: string | undefined;
  readonly body: unknown;
}

async function startRollout(
  temporal: TemporalGateway,
  { input, caller, key, body }: RolloutStartRequest,
  locate: (path: string) => void,
): Promise<WorkflowStarted> {
  const run = await startLocked(temporal, rolloutWorkflowId(input.model), {
    start: rolloutStart(input, caller.tenant),
    input,
    idempotency: { key, subject: caller.sub, body: { kind: input.kind, body } },
  });
  locate(run.links.self);
  return run;
}

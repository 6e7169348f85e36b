import { z } from 'zod';
import { AttackListQuery, ExtractionList } from '../../contracts/api.ts';
import { BudgetQuery, BudgetSuggestion, type BudgetChoice } from '../../contracts/extraction.ts';
import { BudgetRequest, LimitView } from '../../contracts/limits.ts';
import { Name } from '../../contracts/reference.ts';
import { chooseBudget } from '../../lib/adversary/index.ts';
import type { ExtractionLog, UsageLimits } from '../../lib/clients/index.ts';
import type { Resource } from '../../lib/policy/index.ts';
import { ApiError } from '../errors.ts';
import { pageOf, readToken } from '../http/paging.ts';
import { route, type Route } from '../http/route.ts';

export interface ExtractionRoutesOptions {
  readonly extractions: Pick<ExtractionLog, 'list' | 'newest'>;
  readonly limits: Pick<UsageLimits, 'list' | 'setBudget'>;
  /** Lets a change count in this process at once. */
  readonly onChange: () => Promise<void>;
  /** @throws MODEL_UNKNOWN */
  readonly requireModel: (model: string) => Promise<unknown>;
}

/** A page token holds the last row that was shown. */
const RowToken = z.coerce.number().int().positive();
const modelParams = z.strictObject({ name: Name });

export function extractionRoutes(options: ExtractionRoutesOptions): Route[] {
  return [listRoute(options), suggestRoute(options), applyRoute(options)];
}

function listRoute({ extractions, requireModel }: ExtractionRoutesOptions): Route {
  return route({
    method: 'get',
    path: '/v1/extractions',
    operationId: 'listExtractions',
    tag: 'Attacks',
    summary: 'What copies of models cost in queries, newest first',
    access: 'attack:read',
    query: AttackListQuery,
    success: { status: 200, description: 'One page.', schema: ExtractionList },
    errors: ['MODEL_UNKNOWN'],
    handler: async ({ query: { model, limit, pageToken } }) => {
      if (model !== undefined) await requireModel(model);
      const rows = await extractions.list({ model, beforeId: readToken(pageToken, RowToken), limit: limit + 1 });
      const { items, nextPageToken } = pageOf(rows, limit, ({ id }) => String(id));
      return { extractions: items, nextPageToken };
    },
  });
}

const tag = 'Limits and misuse';
const path = '/v1/models/{name}/budget';
const resource = ({ name }: z.infer<typeof modelParams>): Resource => ({ model: name });

function suggestRoute(options: ExtractionRoutesOptions): Route {
  return route({
    method: 'get',
    path,
    operationId: 'suggestBudget',
    tag,
    summary: 'The query budget that the newest curve of an extraction suggests',
    access: 'limit:read',
    params: modelParams,
    resource,
    query: BudgetQuery,
    success: { status: 200, description: 'The budget, and what it comes from.', schema: BudgetSuggestion },
    errors: ['MODEL_UNKNOWN', 'EXTRACTION_UNMEASURED'],
    handler: ({ params: { name }, query }) => suggest(options, name, query),
  });
}

function applyRoute(options: ExtractionRoutesOptions): Route {
  const { limits, onChange } = options;
  return route({
    method: 'post',
    path,
    operationId: 'applyBudget',
    tag,
    summary: 'Set the suggested query budget of a key, a subject, a role or everybody',
    description: 'Other numbers of the same caller and model stay. The limit names the curve and the threshold.',
    access: 'limit:write',
    params: modelParams,
    resource,
    body: BudgetRequest,
    success: { status: 200, description: 'The limit.', schema: LimitView },
    errors: ['MODEL_UNKNOWN', 'EXTRACTION_UNMEASURED', 'EXTRACTION_NO_BUDGET'],
    auditDetail: ({ params: { name: model }, body }) => ({
      ...{ model, kind: body.kind, threshold: String(body.threshold) },
      ...(body.name !== '' && { name: body.name }),
      ...(body.answers !== undefined && { answers: body.answers }),
    }),
    handler: async ({ params: { name: model }, body, caller: { tenant, sub } }) => {
      const { kind, name, ...choice } = body;
      const { budgetRows, source } = await suggest(options, model, choice);
      if (budgetRows === undefined) {
        const detail = `Curve ${source.curve} of ${model} has no number of queries below a fidelity of ${source.threshold}.`;
        throw new ApiError('EXTRACTION_NO_BUDGET', detail);
      }
      await limits.setBudget(tenant, { kind, name, model }, { budgetRows, source, setBy: sub });
      await onChange();
      const rows = await limits.list(tenant);
      const set = rows.find((limit) => limit.kind === kind && limit.name === name && limit.model === model);
      if (set === undefined) throw new ApiError('LIMIT_UNKNOWN', 'The limit was removed meanwhile.');
      return set;
    },
  });
}

async function suggest(
  { extractions, requireModel }: ExtractionRoutesOptions,
  model: string,
  choice: BudgetChoice,
): Promise<BudgetSuggestion> {
  await requireModel(model);
  const record = await extractions.newest(model);
  const budget = record && chooseBudget(record.curve, choice);
  if (record === undefined || budget === undefined) {
    const told = choice.answers === undefined ? '' : ` from ${choice.answers}`;
    throw new ApiError('EXTRACTION_UNMEASURED', `What a copy of ${model}${told} costs was not measured.`);
  }
  const { id: curve, version, workflowId, runId, at: measuredAt } = record;
  const { answers, threshold, budgetRows, reached } = budget;
  return {
    ...{ model, budgetRows, reached, measuredAt },
    source: { curve, version, workflowId, runId, answers, threshold },
    points: record.curve.points.filter((point) => point.answers === answers),
  };
}

import { LimitList, LimitRemoval, LimitRequest, LimitView, UsageList, UsageQuery } from '../../contracts/limits.ts';
import type { UsageLimits, UsageLog } from '../../lib/clients/index.ts';
import type { EffectiveLimit } from '../../lib/limits/index.ts';
import { ApiError } from '../errors.ts';
import { route, type Route } from '../http/route.ts';

export interface LimitRoutesOptions {
  readonly limits: Pick<UsageLimits, 'list' | 'set' | 'remove'>;
  readonly usage: Pick<UsageLog, 'list'>;
  readonly defaults: EffectiveLimit;
  /** Lets a change count in this process at once. */
  readonly onChange: () => Promise<void>;
  /** Writes what this process has counted. */
  readonly flush: () => Promise<void>;
}

const tag = 'Limits and misuse';
const path = '/v1/limits';

export function limitRoutes({ limits, usage, defaults, onChange, flush }: LimitRoutesOptions): Route[] {
  return [
    route({
      method: 'get',
      path,
      operationId: 'listLimits',
      tag,
      summary: 'How much callers of your tenant may ask of models, the most specific first',
      access: 'limit:read',
      success: { status: 200, description: 'All of them, and the defaults.', schema: LimitList },
      handler: async ({ caller: { tenant } }) => ({ limits: await limits.list(tenant), defaults }),
    }),
    route({
      method: 'post',
      path,
      operationId: 'setLimit',
      tag,
      summary: 'Set what a key, a subject, a role or everybody may ask of a model, or of all',
      description: 'Takes the place of the limit of the same caller and model. Counts within five seconds everywhere.',
      access: 'limit:write',
      body: LimitRequest,
      success: { status: 200, description: 'The limit.', schema: LimitView },
      auditDetail: ({ body }) => textOf(body),
      handler: async ({ body, caller: { tenant, sub } }) => {
        await limits.set(tenant, body, sub);
        await onChange();
        const set = (await limits.list(tenant)).find((limit) => isOf(limit, body));
        if (set === undefined) throw new ApiError('LIMIT_UNKNOWN', 'The limit was removed meanwhile.');
        return set;
      },
    }),
    route({
      method: 'post',
      path: `${path}/remove`,
      operationId: 'removeLimit',
      tag,
      summary: 'Take a limit away; the next less specific one counts',
      access: 'limit:write',
      body: LimitRemoval,
      success: { status: 204, description: 'It is gone.' },
      errors: ['LIMIT_UNKNOWN'],
      auditDetail: ({ body }) => textOf(body),
      handler: async ({ body, caller: { tenant } }) => {
        const removed = await limits.remove(tenant, body);
        if (!removed)
          throw new ApiError('LIMIT_UNKNOWN', `No limit is set for ${body.kind} ${body.name}.`.replace(' .', '.'));
        await onChange();
      },
    }),
    route({
      method: 'get',
      path: '/v1/usage',
      operationId: 'listUsage',
      tag,
      summary: 'What callers of your tenant asked of models, the busiest first',
      description: 'Counts of other API processes are about a second old.',
      access: 'limit:read',
      query: UsageQuery,
      success: { status: 200, description: 'At most 500 callers and models.', schema: UsageList },
      handler: async ({ query: { days, ...filter }, caller: { tenant } }) => {
        await flush();
        return { days, usage: await usage.list({ tenant, days, ...filter }) };
      },
    }),
  ];
}

function isOf(limit: LimitView, { kind, name, model }: LimitRequest): boolean {
  return limit.kind === kind && limit.name === name && limit.model === model;
}

function textOf(body: object): Record<string, string> {
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, String(value)]));
}

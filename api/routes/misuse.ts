import { z } from 'zod';
import {
  FlagList,
  FlagQuery,
  LiftRequest,
  MisuseFlag,
  ProtectionList,
  ProtectionRequest,
  type Protection,
} from '../../contracts/misuse.ts';
import { Name } from '../../contracts/reference.ts';
import type { MisuseFlags, ModelProtections, TenantFlag } from '../../lib/clients/index.ts';
import type { Resource } from '../../lib/policy/index.ts';
import { ApiError } from '../errors.ts';
import { pageOf, readToken } from '../http/paging.ts';
import { route, type Route } from '../http/route.ts';

export interface MisuseRoutesOptions {
  readonly flags: Pick<MisuseFlags, 'find' | 'list' | 'lift'>;
  readonly protections: Pick<ModelProtections, 'list' | 'set'>;
  readonly defaults: Protection;
  /** Lets a change count in this process at once. */
  readonly onChange: () => Promise<void>;
  /** @throws MODEL_UNKNOWN */
  readonly requireModel: (model: string) => Promise<unknown>;
}

const tag = 'Limits and misuse';
const flagParams = z.strictObject({
  id: z.coerce
    .number<string>()
    .int()
    .min(1)
    .max(2 ** 31 - 1),
});
const modelParams = z.strictObject({ name: Name });
const RowToken = z.coerce.number().int().positive();

export function misuseRoutes(options: MisuseRoutesOptions): Route[] {
  return [...flagRoutes(options), ...protectionRoutes(options)];
}

function flagRoutes({ flags, onChange }: MisuseRoutesOptions): Route[] {
  const find = async (id: number): Promise<TenantFlag> => {
    const flag = await flags.find(id);
    if (flag) return flag;
    throw new ApiError('MISUSE_FLAG_UNKNOWN', `There is no flag ${id}.`, { field: 'path.id' });
  };
  return [
    route({
      method: 'get',
      path: '/v1/misuse/flags',
      operationId: 'listMisuseFlags',
      tag,
      summary: 'Callers of your tenant whose queries look like an attack on a model, newest first',
      access: 'misuse:read',
      query: FlagQuery,
      success: { status: 200, description: 'One page.', schema: FlagList },
      handler: async ({ query: { limit, pageToken, ...filter }, caller: { tenant } }) => {
        const before = readToken(pageToken, RowToken);
        const rows = await flags.list({ ...filter, tenant, before, limit: limit + 1 });
        const { items, nextPageToken } = pageOf(rows, limit, ({ id }) => String(id));
        return { flags: items, nextPageToken };
      },
    }),
    route({
      method: 'post',
      path: '/v1/misuse/flags/{id}/lift',
      operationId: 'liftMisuseFlag',
      tag,
      summary: 'Let a flagged caller go on; what was seen so far counts no more',
      description: 'Nobody lifts the own flag. Counts within five seconds everywhere.',
      access: 'misuse:write',
      params: flagParams,
      resource: async ({ id }): Promise<Resource> => {
        const { tenant, subject } = await find(id);
        return { tenant, flagged: subject };
      },
      body: LiftRequest,
      success: { status: 200, description: 'The lifted flag.', schema: MisuseFlag },
      errors: ['MISUSE_FLAG_UNKNOWN', 'MISUSE_FLAG_LIFTED'],
      auditDetail: ({ body: { reason } }) => ({ reason }),
      handler: async ({ params: { id }, body: { reason }, caller: { sub } }) => {
        if (!(await flags.lift(id, { by: sub, reason }))) {
          throw new ApiError('MISUSE_FLAG_LIFTED', `The flag ${id} was lifted before.`);
        }
        await onChange();
        return find(id);
      },
    }),
  ];
}

function protectionRoutes({ protections, defaults, onChange, requireModel }: MisuseRoutesOptions): Route[] {
  const path = '/v1/models/{name}/protection';
  const resource = ({ name }: z.infer<typeof modelParams>): Resource => ({ model: name });
  const list = async (model: string): Promise<z.infer<typeof ProtectionList>> => ({
    model,
    protections: await protections.list(model),
    defaults,
  });
  return [
    route({
      method: 'get',
      path,
      operationId: 'getModelProtection',
      tag,
      summary: 'What a model tells whom, and what it does about misuse',
      access: 'misuse:read',
      params: modelParams,
      resource,
      success: { status: 200, description: 'By role, and the defaults.', schema: ProtectionList },
      errors: ['MODEL_UNKNOWN'],
      handler: async ({ params: { name } }) => {
        await requireModel(name);
        return list(name);
      },
    }),
    route({
      method: 'post',
      path,
      operationId: 'setModelProtection',
      tag,
      summary: 'Set it for every role, or for one; empty settings take it away',
      description: "A role's settings replace those for every role one by one. Counts within five seconds everywhere.",
      access: 'misuse:write',
      params: modelParams,
      resource,
      body: ProtectionRequest,
      success: { status: 200, description: 'By role, and the defaults.', schema: ProtectionList },
      errors: ['MODEL_UNKNOWN'],
      auditDetail: ({ body: { role = '*', settings } }) => ({ role, settings: JSON.stringify(settings) }),
      handler: async ({ params: { name }, body, caller: { sub } }) => {
        await requireModel(name);
        await protections.set(name, body, sub);
        await onChange();
        return list(name);
      },
    }),
  ];
}

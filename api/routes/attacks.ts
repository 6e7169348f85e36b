import { z } from 'zod';
import { AttackList, AttackListQuery } from '../../contracts/api.ts';
import type { AttackLog } from '../../lib/clients/index.ts';
import { pageOf, readToken } from '../http/paging.ts';
import { route, type Route } from '../http/route.ts';

export interface AttackRoutesOptions {
  readonly attacks: Pick<AttackLog, 'list'>;
  /** @throws MODEL_UNKNOWN */
  readonly requireModel: (model: string) => Promise<unknown>;
}

/** A page token holds the last row that was shown. */
const RowToken = z.coerce.number().int().positive();

export function attackRoutes({ attacks, requireModel }: AttackRoutesOptions): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/attacks',
      operationId: 'listAttacks',
      tag: 'Attacks',
      summary: 'Results of attacks, newest first',
      access: 'attack:read',
      query: AttackListQuery,
      success: { status: 200, description: 'One page.', schema: AttackList },
      errors: ['MODEL_UNKNOWN'],
      handler: async ({ query: { model, limit, pageToken } }) => {
        if (model !== undefined) await requireModel(model);
        const rows = await attacks.list({ model, beforeId: readToken(pageToken, RowToken), limit: limit + 1 });
        const { items, nextPageToken } = pageOf(rows, limit, ({ id }) => String(id));
        return { attacks: items, nextPageToken };
      },
    }),
  ];
}

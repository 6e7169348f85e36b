import { z } from 'zod';
import {
  AliasHistory,
  AliasList,
  HistoryQuery,
  ModelDetail,
  ModelList,
  ModelVersionList,
  PageQuery,
} from '../../contracts/api.ts';
import { Name } from '../../contracts/reference.ts';
import type { Resource } from '../../lib/policy/index.ts';
import { pageOf, readToken } from '../http/paging.ts';
import { route, type Route } from '../http/route.ts';
import { ModelCatalog, type ModelSources } from './model-catalog.ts';

const tag = 'Models';
const params = z.strictObject({ name: Name });

/** Page tokens hold the last name, version or row that was shown. */
const VersionToken = z.string().regex(/^[1-9]\d{0,8}$/);
const RowToken = z.coerce.number().int().positive();

const ofModel = ({ name }: z.infer<typeof params>): Resource => ({ model: name });

export function modelRoutes(options: ModelSources): Route[] {
  const catalog = new ModelCatalog(options);
  return [...listRoutes(options, catalog), ...aliasRoutes(options, catalog)];
}

function listRoutes({ registry }: ModelSources, catalog: ModelCatalog): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/models',
      operationId: 'listModels',
      tag,
      summary: 'Registered models by name',
      access: 'model:read',
      query: PageQuery,
      success: { status: 200, description: 'One page.', schema: ModelList },
      handler: async ({ query: { limit, pageToken } }) => {
        const models = await registry.models({ after: readToken(pageToken, Name), limit: limit + 1 });
        const { items, nextPageToken } = pageOf(models, limit, ({ name }) => name);
        return { models: items, nextPageToken };
      },
    }),
    route({
      method: 'get',
      path: '/v1/models/{name}',
      operationId: 'getModel',
      tag,
      summary: 'A model with its newest version and its champion',
      access: 'model:read',
      params,
      resource: ofModel,
      success: { status: 200, description: 'The model.', schema: ModelDetail },
      errors: ['MODEL_UNKNOWN'],
      handler: ({ params: { name } }) => catalog.detail(name),
    }),
    route({
      method: 'get',
      path: '/v1/models/{name}/versions',
      operationId: 'listModelVersions',
      tag,
      summary: 'Versions, newest first',
      access: 'model:read',
      params,
      resource: ofModel,
      query: PageQuery,
      success: { status: 200, description: 'One page.', schema: ModelVersionList },
      errors: ['MODEL_UNKNOWN'],
      handler: async ({ params: { name }, query: { limit, pageToken } }) => {
        const versions = await catalog.versions(name, { before: readToken(pageToken, VersionToken), limit: limit + 1 });
        const { items, nextPageToken } = pageOf(versions, limit, ({ version }) => version);
        return { model: name, versions: items, nextPageToken };
      },
    }),
  ];
}

function aliasRoutes({ registry, aliases }: ModelSources, catalog: ModelCatalog): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/models/{name}/aliases',
      operationId: 'listModelAliases',
      tag,
      summary: 'What each alias means now, and which API processes serve it',
      access: 'model:read',
      params,
      resource: ofModel,
      success: { status: 200, description: 'All of them.', schema: AliasList },
      errors: ['MODEL_UNKNOWN'],
      handler: async ({ params: { name } }) => {
        await registry.model(name);
        return { model: name, aliases: await catalog.aliases(name) };
      },
    }),
    route({
      method: 'get',
      path: '/v1/models/{name}/history',
      operationId: 'getModelHistory',
      tag,
      summary: 'Every change of an alias, newest first; with `at`, what was live then',
      access: 'model:read',
      params,
      resource: ofModel,
      query: HistoryQuery,
      success: { status: 200, description: 'One page.', schema: AliasHistory },
      errors: ['MODEL_UNKNOWN'],
      handler: async ({ params: { name }, query: { alias, at, limit, pageToken } }) => {
        await registry.model(name);
        const beforeId = readToken(pageToken, RowToken);
        const rows = await aliases.history(name, { alias, until: at, beforeId, limit: limit + 1 });
        const { items, nextPageToken } = pageOf(rows, limit, ({ id }) => String(id));
        const live = at === undefined ? undefined : await aliases.liveAt(name, at, alias);
        return { model: name, at, live, events: items, nextPageToken };
      },
    }),
  ];
}

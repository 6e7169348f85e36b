import { z } from 'zod';
import { ApiKeyCreated, ApiKeyList, ApiKeyRequest, KeyId, RotateKeyRequest } from '../../contracts/api-keys.ts';
import type { Resource } from '../../lib/policy/index.ts';
import type { ApiKeyring } from '../auth/keys.ts';
import { route, type Route } from '../http/route.ts';

export interface ApiKeyRoutesOptions {
  readonly keyring: ApiKeyring;
}

const tag = 'Identity';
const path = '/v1/api-keys';
const params = z.strictObject({ id: KeyId });

export function apiKeyRoutes({ keyring }: ApiKeyRoutesOptions): Route[] {
  const resource = async ({ id }: z.infer<typeof params>): Promise<Resource> => {
    const { owner, tenant, roles } = await keyring.view(id);
    return { owner, tenant, roles };
  };
  return [
    route({
      method: 'post',
      path,
      operationId: 'createApiKey',
      tag,
      summary: 'Make an API key of your own',
      description: 'The key is in this answer and nowhere else. Send it as a bearer token or in `X-API-Key`.',
      access: 'key:write',
      // A key without roles would be no more than its owner, so anybody's body may still be allowed.
      bodyResource: { anyOf: [{ roles: [] }], of: ({ roles }) => ({ roles }) },
      body: ApiKeyRequest,
      success: { status: 201, description: 'The key.', schema: ApiKeyCreated },
      auditDetail: ({ body: { name, roles, actions, models = ['*'] } }) => ({
        name,
        roles: roles.join(' '),
        actions: actions.join(' '),
        models: models.join(' '),
      }),
      handler: ({ body, caller }) => keyring.create(body, caller),
    }),
    route({
      method: 'get',
      path,
      operationId: 'listApiKeys',
      tag,
      summary: 'Your own API keys, newest first',
      access: 'key:read',
      success: { status: 200, description: 'Without the keys themselves.', schema: ApiKeyList },
      handler: async ({ caller: { sub, tenant } }) => ({ keys: await keyring.list({ tenant, owner: sub }) }),
    }),
    route({
      method: 'get',
      path: `${path}/all`,
      operationId: 'listAllApiKeys',
      tag,
      summary: 'The API keys of everybody of the tenant, newest first',
      access: 'key:read',
      resource: () => ({ owner: '*' }),
      success: { status: 200, description: 'Without the keys themselves.', schema: ApiKeyList },
      handler: async ({ caller: { tenant } }) => ({ keys: await keyring.list({ tenant }) }),
    }),
    route({
      method: 'post',
      path: `${path}/{id}/rotate`,
      operationId: 'rotateApiKey',
      tag,
      summary: 'Get a new secret for an API key; the former one goes on working for a while',
      access: 'key:write',
      params,
      resource,
      body: RotateKeyRequest,
      bodyOptional: true,
      success: { status: 200, description: 'The new key.', schema: ApiKeyCreated },
      errors: ['API_KEY_UNKNOWN', 'API_KEY_ENDED'],
      handler: ({ params: { id }, body: { overlapSeconds } }) => keyring.rotate(id, overlapSeconds),
    }),
    route({
      method: 'delete',
      path: `${path}/{id}`,
      operationId: 'revokeApiKey',
      tag,
      summary: 'Revoke an API key, within seconds everywhere',
      access: 'key:write',
      params,
      resource,
      success: { status: 204, description: 'It is of no use any more.' },
      errors: ['API_KEY_UNKNOWN'],
      handler: ({ params: { id } }) => keyring.revoke(id),
    }),
  ];
}

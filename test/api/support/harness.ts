import { expect } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import getPort from 'get-port';
import { z } from 'zod';
import { composeApi } from '../../../api/compose/index.ts';
import type { Route } from '../../../api/http/route.ts';
import type { Problem } from '../../../contracts/api.ts';
import type { Role } from '../../../contracts/roles.ts';
import { loadConfig, type SaipConfig } from '../../../lib/config/index.ts';
import { createLogger, createMetricsRegistry } from '../../../lib/telemetry/index.ts';
import { stackEnv, testHome } from '../../support/stack.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON, or the text. */
  readonly body: unknown;
}

export interface CallOptions {
  readonly role?: Role;
  readonly token?: string;
  readonly headers?: Record<string, string>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly body?: string | URLSearchParams;
}

/** An API of the test's own, in this process, on the real servers of the test stack. */
export interface TestApi {
  readonly url: string;
  readonly config: SaipConfig;
  readonly routes: readonly Route[];
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** An access token of the local client of this role. */
  token(role: Role): Promise<string>;
  stop(): Promise<void>;
}

const Clients = z.record(z.string(), z.object({ clientId: z.string(), clientSecret: z.string() }));

/** The stack's client of a role, as `saip token` uses it. */
export function localClient(role: Role): { clientId: string; clientSecret: string } {
  const client = Clients.parse(JSON.parse(readFileSync(join(testHome(), 'secrets', 'clients.json'), 'utf8')))[role];
  if (!client) throw new Error(`the test stack has no client for ${role}`);
  return client;
}

/** @param env settings that differ from those of the stack's API */
export async function startApi(env: Record<string, string> = {}): Promise<TestApi> {
  const port = await getPort();
  const url = `http://127.0.0.1:${port}`;
  const config = loadConfig('api', {
    ...stackEnv('api'),
    SAIP_API_PORT: String(port),
    SAIP_API_URL: url,
    SAIP_LOG_LEVEL: 'silent',
    ...env,
  });
  const logger = createLogger('api', { level: config.logLevel });
  const api = await composeApi({ config, logger, registry: createMetricsRegistry('api') });
  await api.start();
  const tokens = new Map<Role, Promise<string>>();
  const token = (role: Role): Promise<string> => {
    const known = tokens.get(role) ?? fetchToken(url, role);
    tokens.set(role, known);
    return known;
  };
  return {
    url,
    config,
    routes: api.routes,
    token,
    call: async (method, path, options = {}) => {
      const bearer = options.token ?? (options.role && (await token(options.role)));
      return send(method, `${url}${path}`, { ...options, token: bearer });
    },
    stop: () => api.stop({ notice: 0 }),
  };
}

/** The body of an error, checked to be a problem with everything the contract asks for. */
export function problemOf({ body, headers }: Answer): Problem {
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(body).toMatchObject({
    type: expect.stringMatching(/^\/docs\/errors#/),
    title: expect.any(String),
    code: expect.any(String),
    hint: expect.any(String),
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(JSON.stringify(body)).not.toMatch(/node_modules|at .*\.ts:\d+/);
  return body as Problem;
}

async function fetchToken(url: string, role: Role): Promise<string> {
  const { clientId, clientSecret } = localClient(role);
  const { body } = await send('POST', `${url}/v1/auth/token`, {
    json: { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret },
  });
  return z.object({ access_token: z.string() }).parse(body).access_token;
}

async function send(method: string, url: string, { token, headers, json, body }: CallOptions): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    body: json === undefined ? body : JSON.stringify(json),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: parse(text) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

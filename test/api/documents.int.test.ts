import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { z } from 'zod';
import { ERRORS } from '../../contracts/errors.ts';
import { startApi, type TestApi } from './support/harness.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startApi();
});

afterAll(() => api.stop());

const Operation = z.object({
  operationId: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  requestBody: z.object({ content: z.record(z.string(), z.unknown()) }).optional(),
  responses: z.record(z.string(), z.object({ content: z.record(z.string(), z.unknown()).optional() })),
});
const Document = z.object({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
});

async function document(): Promise<z.infer<typeof Document>> {
  return Document.parse((await api.call('GET', '/openapi.json')).body);
}

describe('/openapi.json', () => {
  it('is valid OpenAPI 3.1', async () => {
    const { body } = await api.call('GET', '/openapi.json');
    const result = await new Validator().validate(body as Record<string, unknown>);
    expect(result).toEqual({ valid: true });
    expect((await document()).openapi).toMatch(/^3\.1\./);
  });

  it('covers every route, and nothing else', async () => {
    const { paths } = await document();
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    const mounted = api.routes.filter(({ undocumented }) => undocumented !== true);
    expect(documented.sort()).toEqual(mounted.map(({ method, path }) => `${method} ${path}`).sort());
  });

  it('names each operation once', async () => {
    const ids = Object.values((await document()).paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('says which routes need no token, and they are these', async () => {
    const { paths } = await document();
    const open = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { security }]) => (security.length === 0 ? [`${method} ${path}`] : [])),
    );
    expect(open.sort()).toEqual([
      'delete /v1/auth/session',
      'get /.well-known/jwks.json',
      'get /docs',
      'get /docs/errors',
      'get /health/live',
      'get /health/ready',
      'get /login',
      'get /openapi.json',
      'get /v1/audit/key',
      'get /v1/release-keys',
      'get /v2',
      'get /v2/health/live',
      'get /v2/health/ready',
      'post /v1/auth/revoke',
      'post /v1/auth/session',
      'post /v1/auth/token',
    ]);
  });

  it('describes every error as a problem', async () => {
    for (const methods of Object.values((await document()).paths)) {
      for (const { responses } of Object.values(methods)) {
        const failures = Object.entries(responses).filter(([status]) => Number(status) >= 400);
        expect(failures.every(([, { content }]) => content?.['application/problem+json'] !== undefined)).toBe(true);
        expect(responses['500']).toBeDefined();
      }
    }
  });
});

describe('a page', () => {
  it.each(['/docs', '/login'])('%s loads everything from this origin, and runs nothing inline', async (path) => {
    const { status, headers, body } = await api.call('GET', path);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/html/);
    const csp = headers.get('content-security-policy') ?? '';
    expect(csp).toContain("default-src 'none'");
    expect(csp).not.toContain('unsafe-');
    const html = String(body);
    expect(html).not.toMatch(/<script>|\son\w+=|style=/);
    const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)]
      .map(([, link]) => link ?? '')
      .filter((link) => link !== 'data:,');
    for (const link of links) {
      expect(link).toMatch(/^\//);
      expect((await api.call('GET', link)).status).toBe(200);
    }
  });

  it('/docs/errors explains every code', async () => {
    const html = String((await api.call('GET', '/docs/errors')).body);
    for (const code of Object.keys(ERRORS)) {
      expect(html).toContain(`<tr id="${code.toLowerCase().replaceAll('_', '-')}"><td><code>${code}</code></td>`);
    }
  });
});

describe('health', () => {
  it('tells what answers, and no address', async () => {
    expect((await api.call('GET', '/health/live')).body).toEqual({ status: 'live' });
    const { status, body } = await api.call('GET', '/health/ready');
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        status: 'ready',
        checks: { database: { ok: true }, secrets: { ok: true }, models: { ok: true }, temporal: { ok: true } },
      },
    });
  });

  it('stays ready for predictions while Temporal is away, and says so', async () => {
    const own = await startApi({ TEMPORAL_ADDRESS: '127.0.0.1:9' });
    try {
      const { status, body } = await own.call('GET', '/health/ready');
      expect(status).toBe(200);
      expect(body).toMatchObject({ status: 'ready', checks: { temporal: { ok: false } } });
      const list = await own.call('GET', '/v1/workflows', { role: 'viewer' });
      expect(list.status).toBe(503);
      expect(list.body).toMatchObject({ code: 'UNAVAILABLE' });
    } finally {
      await own.stop();
    }
  });

  it('gives its metrics without a token only where the setting says so', async () => {
    expect((await api.call('GET', '/metrics')).status).toBe(401);
    const own = await startApi({ SAIP_METRICS_OPEN: 'true' });
    try {
      const { status, body } = await own.call('GET', '/metrics');
      expect(status).toBe(200);
      expect(body).toContain('process_cpu_seconds_total');
    } finally {
      await own.stop();
    }
  });
});

import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { createApp } from '../../../api/app.ts';
import { cors } from '../../../api/auth/index.ts';
import { DataPlane } from '../../../api/data-plane/index.ts';
import { ApiError } from '../../../api/errors.ts';
import { HttpMetrics } from '../../../api/http/metrics.ts';
import type { Guards } from '../../../api/http/mount.ts';
import { rawRoute, route, type Denial, type RawContext } from '../../../api/http/route.ts';
import { HttpServer } from '../../../api/server.ts';
import { Problem } from '../../../contracts/api.ts';

const LIMIT = 64;
const open: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.drain({ notice: 0, limit: 0 })));
});

const caller = { sub: 'ann', roles: ['predictor' as const], tenant: 'default', expiresAt: 0 };

interface ServeOptions {
  readonly guards?: Partial<Guards>;
  readonly raw?: (context: RawContext) => Promise<{ headers: Record<string, string>; body: string }>;
  readonly timeout?: number;
}

/** Express and the data plane on one server, with a route of each at `/things/{name}`. */
async function serve({ guards = {}, raw, timeout }: ServeOptions = {}) {
  const steps: string[] = [];
  const denials: Denial[] = [];
  const answered = (context: RawContext) => {
    const { model } = context.params as { model: string };
    return Promise.resolve({ headers: { 'Content-Type': 'text/plain' }, body: `${model}:${context.body.toString()}` });
  };
  const path = '/things/{model}';
  const common = { tag: 'Things', params: z.strictObject({ model: z.string().max(8) }) };
  const routes = [
    rawRoute({
      ...common,
      path,
      method: 'post',
      operationId: 'doThing',
      summary: 'Do it',
      access: 'model:infer',
      resource: ({ model }) => ({ model }),
      denied: async (denial) => {
        denials.push(denial);
      },
      body: z.unknown(),
      bodyLimit: LIMIT,
      timeout,
      success: { status: 200, description: 'Done.', schema: z.string() },
      raw: raw ?? answered,
    }),
    route({
      ...common,
      path,
      method: 'get',
      operationId: 'getThing',
      summary: 'Look at it',
      access: 'public',
      success: { status: 200, description: 'It.', schema: z.string() },
      handler: () => 'express',
    }),
  ];
  const all: Guards = {
    authenticate: async () => {
      steps.push('authenticate');
      return caller;
    },
    decide: ({ action, resource }) => {
      steps.push(`decide ${action} ${String(resource.model)}`);
      return { allow: true, rule: 'role:predictor' };
    },
    audit: () => Promise.resolve(),
    limiters: { credentials: (_request, _response, next) => next() },
    ...guards,
  };
  const log = (): void => undefined;
  const logger = { error: log, warn: log, info: log };
  const registry = new Registry();
  const surface = { routes, logger, metrics: new HttpMetrics(registry), https: true };
  const app = createApp({ ...surface, guards: all, cors: cors({ origins: new Set(), prefix: '/none' }) });
  const server = new HttpServer(app, new DataPlane({ ...surface, guards: all }));
  open.push(server);
  const port = await server.listen('127.0.0.1', 0);
  const url = `http://127.0.0.1:${String(port)}`;
  const post = (to: string, body: RequestInit['body'] = '1', headers: Record<string, string> = {}) =>
    fetch(`${url}${to}`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
  return { url, port, steps, denials, registry, post };
}

const problem = async (answer: Response) => Problem.parse(await answer.json());

describe('the data plane', () => {
  it('authenticates, decides, reads and answers', async () => {
    const { post, steps } = await serve();
    const answer = await post('/things/a%20b', 'body');
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
      200,
      'text/plain',
      'a b:body',
    ]);
    expect(steps).toEqual(['authenticate', 'decide model:infer a b']);
  });

  it.each(['/things/a/', '/Things/a', '/things/a?x=1'])('is asked for %s as well, and not Express', async (path) => {
    const { post } = await serve();
    expect(await (await post(path)).text()).toBe('a:1');
  });

  it('leaves other methods and paths to Express', async () => {
    const { url } = await serve();
    expect(await (await fetch(`${url}/things/a`)).json()).toBe('express');
    const other = await fetch(`${url}/things/a`, { method: 'DELETE' });
    expect([other.status, other.headers.get('allow')]).toEqual([405, 'POST, GET, HEAD, OPTIONS']);
    expect((await fetch(`${url}/things`, { method: 'POST' })).status).toBe(404);
  });

  it('answers with those headers of Express that say something of what is no page', async () => {
    const { url, post } = await serve();
    const own = ['content-length', 'content-type', 'date', 'traceparent'];
    const headersOf = ({ headers }: Response) =>
      Object.fromEntries([...headers].filter(([name]) => !own.includes(name)).sort());
    const express = headersOf(await fetch(`${url}/things/a`));
    const answered = headersOf(await post('/things/a'));
    expect(express).toMatchObject(answered);
    expect(headersOf(await post('/things/too-long-a-name'))).toEqual(answered);
    expect(answered).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-site',
      'strict-transport-security': expect.stringContaining('max-age'),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
    });
  });

  it('takes part in the trace of its caller', async () => {
    const { post } = await serve();
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const answer = await post('/things/a', '1', { traceparent: `00-${traceId}-b7ad6b7169203331-01` });
    expect(answer.headers.get('traceparent')).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-0[01]$`));
    const refused = await post('/things/too-long-a-name');
    expect(refused.headers.get('traceparent')).toContain((await problem(refused)).traceId);
  });

  it('counts requests by their route', async () => {
    const { post, registry } = await serve();
    await (await post('/things/a')).text();
    await (await post('/things/too-long-a-name')).text();
    const text = await registry.metrics();
    const count = 'http_server_request_duration_seconds_count{http_request_method="POST",http_route="/things/{model}"';
    expect(text).toContain(`${count},http_response_status_code="200"} 1`);
    expect(text).toContain(`${count},http_response_status_code="400"} 1`);
    expect(text).toContain('http_server_active_requests 0');
  });

  it('records what policy refuses, and reads no body for it', async () => {
    const { post, denials } = await serve({ guards: { decide: () => ({ allow: false, rule: 'default-deny' }) } });
    const answer = await post('/things/a', 'x'.repeat(LIMIT + 1));
    expect(await problem(answer)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    expect(denials).toMatchObject([{ asked: '/things/a', rule: 'default-deny', caller: { sub: 'ann' } }]);
  });

  it('asks for a token', async () => {
    const refuse = () => Promise.reject(new ApiError('UNAUTHENTICATED', 'The request brings no bearer token.'));
    const { post } = await serve({ guards: { authenticate: refuse } });
    const answer = await post('/things/a');
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="saip"']);
  });

  it.each([
    ['another type', 'x', { 'content-type': 'text/plain' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['another charset', 'x', { 'content-type': 'application/json; charset=utf-16' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['an unknown coding', 'x', { 'content-encoding': 'zip' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['too many bytes', 'x'.repeat(LIMIT + 1), {}, 413, 'REQUEST_TOO_LARGE'],
    [
      'bytes that become too many',
      gzipSync('x'.repeat(10_000)),
      { 'content-encoding': 'gzip' },
      413,
      'REQUEST_TOO_LARGE',
    ],
    ['no body', undefined, {}, 400, 'REQUEST_INVALID'],
  ])('refuses %s', async (_, body, headers, status, code) => {
    const { post } = await serve();
    const answer = body === undefined ? await post('/things/a', '') : await post('/things/a', body, headers);
    expect(await problem(answer)).toMatchObject({ status, code });
  });

  it('reads a body with a coding, or in pieces of unknown length', async () => {
    const { post, url } = await serve();
    expect(await (await post('/things/a', gzipSync('zipped'), { 'content-encoding': 'gzip' })).text()).toBe('a:zipped');
    const pieces = new ReadableStream({
      start: (controller) => {
        for (const text of ['in ', 'pieces']) controller.enqueue(Buffer.from(text));
        controller.close();
      },
    });
    const init = { method: 'POST', body: pieces, duplex: 'half', headers: { 'content-type': 'application/json' } };
    expect(await (await fetch(`${url}/things/a`, init as RequestInit)).text()).toBe('a:in pieces');
  });

  it('refuses pieces that become too many', async () => {
    const { port } = await serve();
    const socket = connect(port, '127.0.0.1');
    socket.write(
      'POST /things/a HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    socket.write(`50\r\n${'x'.repeat(0x50)}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  it('sends the headers that a handler sets, with an error too', async () => {
    const { post } = await serve({
      raw: ({ response, body }) => {
        response.setHeader('RateLimit', 'a');
        response.setHeader('RateLimit', 'b');
        if (body.toString() === 'bad') throw new ApiError('RATE_LIMITED', 'Too many.');
        return Promise.resolve({ headers: {}, body: '' });
      },
    });
    expect((await post('/things/a')).headers.get('ratelimit')).toBe('b');
    const refused = await post('/things/a', 'bad');
    expect([refused.status, refused.headers.get('ratelimit')]).toEqual([429, 'b']);
  });

  it('tells nothing about an error that nobody foresaw', async () => {
    const { post } = await serve({ raw: () => Promise.reject(new Error('password=hunter2')) });
    const answer = await post('/things/a');
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('hunter2');
  });

  it('answers in time when the handler does not, and once', async () => {
    const { promise, resolve } = Promise.withResolvers<{ headers: Record<string, string>; body: string }>();
    const { post } = await serve({ raw: () => promise, timeout: 50 });
    expect(await problem(await post('/things/a'))).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
    resolve({ headers: {}, body: 'late' });
  });

  it('lets a handler shorten its time, and not lengthen it', async () => {
    const impatient = (milliseconds: number) => ({
      raw: ({ patience }: RawContext) => {
        patience.limit?.(milliseconds);
        return new Promise<never>(() => undefined);
      },
    });
    const shorter = await serve({ ...impatient(30), timeout: 60_000 });
    expect(await problem(await shorter.post('/things/a'))).toMatchObject({
      detail: 'No answer was ready within 0.03 s.',
    });
    const longer = await serve({ ...impatient(60_000), timeout: 40 });
    expect(await problem(await longer.post('/things/a'))).toMatchObject({
      detail: 'No answer was ready within 0.04 s.',
    });
  });

  it('tells the handler that the client is gone', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<RawContext>();
    const { port } = await serve({
      raw: (context) => {
        begin(context);
        return new Promise(() => undefined);
      },
    });
    const socket = connect(port, '127.0.0.1');
    socket.write('POST /things/a HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n1');
    const { patience } = await begun;
    expect(patience.over).toBeUndefined();
    socket.destroy();
    while (patience.over === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(patience.over).toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('finds the path of a request in absolute form', async () => {
    const { port } = await serve();
    const socket = connect(port, '127.0.0.1');
    socket.write(
      'POST http://host/things/a HTTP/1.1\r\nHost: host\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n1',
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 [\s\S]*a:1$/);
    socket.destroy();
  });
});

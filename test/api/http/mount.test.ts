import { afterEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { createApp } from '../../../api/app.ts';
import { cors } from '../../../api/auth/index.ts';
import { ApiError } from '../../../api/errors.ts';
import { HttpMetrics } from '../../../api/http/metrics.ts';
import type { AuditEntry, Guards } from '../../../api/http/mount.ts';
import { route, type Access, type Route } from '../../../api/http/route.ts';
import { Problem } from '../../../contracts/api.ts';
import { SaipError } from '../../../contracts/errors.ts';
import { listen, type Listening } from '../support/listen.ts';

const open: Listening[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

interface Recorded {
  readonly steps: string[];
  readonly audited: AuditEntry[];
  readonly logged: object[];
}

const caller = { sub: 'ann', roles: ['trainer' as const], tenant: 'default', expiresAt: 0 };

async function serve(routes: readonly Route[], changes: Partial<Guards> = {}): Promise<Recorded & { url: string }> {
  const recorded: Recorded = { steps: [], audited: [], logged: [] };
  const log = (fields: object): void => {
    recorded.logged.push(fields);
  };
  const app = createApp({
    routes,
    guards: {
      authenticate: async () => {
        recorded.steps.push('authenticate');
        return caller;
      },
      decide: ({ action }) => {
        recorded.steps.push(`decide ${action}`);
        return { allow: true, rule: 'role:trainer' };
      },
      audit: async (entry) => {
        recorded.steps.push(`audit ${entry.decision}`);
        recorded.audited.push(entry);
      },
      limiters: { credentials: (_request, _response, next) => next() },
      ...changes,
    },
    logger: { error: log, warn: log, info: log },
    metrics: new HttpMetrics(new Registry()),
    https: false,
    cors: cors({ origins: new Set(), prefix: '/none' }),
  });
  const server = await listen(app);
  open.push(server);
  return { ...recorded, url: server.url };
}

function thing(changes: { access?: Access; handler?: () => { done: boolean }; timeout?: number } = {}): Route {
  return route({
    method: 'post',
    path: '/things/{id}',
    operationId: 'doThing',
    tag: 'Things',
    summary: 'Do it',
    access: changes.access ?? 'schedule:write',
    timeout: changes.timeout,
    params: z.strictObject({ id: z.string().max(3) }),
    body: z.strictObject({ name: z.string() }),
    success: { status: 200, description: 'Done.', schema: z.object({ done: z.boolean() }) },
    auditDetail: ({ body }) => ({ name: body.name }),
    handler: changes.handler ?? (() => ({ done: true })),
  });
}

const post = (url: string, body: unknown, path = '/things/1') =>
  fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const problem = async (answer: Response) => Problem.parse(await answer.json());

describe('mount', () => {
  it('refuses a route that declares no access that it knows', async () => {
    const undeclared = { ...thing(), access: undefined } as unknown as Route;
    const invented = { ...thing(), access: 'thing:do' } as unknown as Route;
    await expect(serve([undeclared])).rejects.toThrow('declares no known access');
    await expect(serve([invented])).rejects.toThrow('declares no known access');
  });

  it('refuses two routes for one method and path', async () => {
    await expect(serve([thing(), thing()])).rejects.toThrow('Two routes answer');
  });

  it('authenticates, decides, reads, audits and acts in this order', async () => {
    const handled: string[] = [];
    const served = await serve([
      thing({
        handler: () => {
          handled.push(served.steps.at(-1) ?? '');
          return { done: true };
        },
      }),
    ]);
    const answer = await post(served.url, { name: 'x' });
    expect([answer.status, await answer.json()]).toEqual([200, { done: true }]);
    expect(served.steps).toEqual(['authenticate', 'decide schedule:write', 'audit allow']);
    expect(handled).toEqual(['audit allow']);
    expect(served.audited).toEqual([
      {
        actor: 'ann',
        action: 'schedule:write',
        subject: 'POST /things/1',
        decision: 'allow',
        detail: { traceId: expect.any(String), rule: 'role:trainer', name: 'x' },
      },
    ]);
  });

  it('records a refusal, and acts on nothing', async () => {
    let handled = false;
    const served = await serve(
      [
        thing({
          handler: () => {
            handled = true;
            return { done: true };
          },
        }),
      ],
      { decide: () => ({ allow: false, rule: 'default-deny' }) },
    );
    const answer = await post(served.url, { name: 'x' });
    expect(await problem(answer)).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    expect(served.audited).toMatchObject([{ decision: 'deny', detail: { rule: 'default-deny' } }]);
    expect(handled).toBe(false);
  });

  it('does nothing when the audit log cannot be written', async () => {
    let handled = false;
    const served = await serve(
      [
        thing({
          handler: () => {
            handled = true;
            return { done: true };
          },
        }),
      ],
      {
        audit: () => Promise.reject(new ApiError('AUDIT_UNAVAILABLE', 'The audit log cannot be written.')),
      },
    );
    expect(await problem(await post(served.url, { name: 'x' }))).toMatchObject({
      status: 503,
      code: 'AUDIT_UNAVAILABLE',
    });
    expect(handled).toBe(false);
  });

  it('asks nobody for a public route', async () => {
    const served = await serve([thing({ access: 'public' })]);
    expect((await post(served.url, { name: 'x' })).status).toBe(200);
    expect(served.steps).toEqual([]);
  });

  it('tells nothing about an error that nobody foresaw, but logs it', async () => {
    const served = await serve([
      thing({
        handler: () => {
          throw new Error('password=hunter2 at /etc/passwd');
        },
      }),
    ]);
    const answer = await post(served.url, { name: 'x' });
    const text = await answer.text();
    expect(answer.status).toBe(500);
    expect(text).not.toMatch(/hunter2|passwd|Error:|\.ts/);
    const { traceId, code } = Problem.parse(JSON.parse(text));
    expect(code).toBe('INTERNAL');
    expect(served.logged).toContainEqual(expect.objectContaining({ traceId, err: expect.any(Error) }));
  });

  it('keeps the code, the status and the field of an error of the platform', async () => {
    const served = await serve([
      thing({
        handler: () => {
          throw new SaipError('DATASET_SPLIT_INVALID', 'no sample is left', { field: 'validationShare' });
        },
      }),
    ]);
    expect(await problem(await post(served.url, { name: 'x' }))).toMatchObject({
      status: 422,
      code: 'DATASET_SPLIT_INVALID',
      detail: 'no sample is left',
      errors: [{ field: 'validationShare' }],
    });
  });

  it('answers in time when a handler does not', async () => {
    const stuck = thing({ timeout: 50 });
    const served = await serve([{ ...stuck, handler: () => new Promise(() => undefined) }]);
    expect(await problem(await post(served.url, { name: 'x' }))).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
  });

  it('checks the path after the permission', async () => {
    const served = await serve([thing()]);
    const answer = await post(served.url, { name: 'x' }, '/things/1234');
    expect(await problem(answer)).toMatchObject({ status: 400, errors: [{ field: 'path.id' }] });
    expect(served.audited).toEqual([]);
  });
});

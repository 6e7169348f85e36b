import type { IncomingMessage } from 'node:http';
import type { Express, Request, RequestHandler, Response } from 'express';
import { z } from 'zod';
import { Action } from '../../contracts/roles.ts';
import type { Decision, Resource } from '../../lib/policy/index.ts';
import { ApiError } from '../errors.ts';
import { bodyReader } from './body.ts';
import { deadline } from './deadline.ts';
import { ANONYMOUS, type Access, type Caller, type Method, type RequestContext, type Route } from './route.ts';
import { nameSpan, traceIdOf } from './trace.ts';
import { validate } from './validate.ts';

export interface AuditEntry {
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly decision: 'allow' | 'deny';
  readonly detail: Readonly<Record<string, string>>;
}

/** What stands between a request and its handler. */
export interface Guards {
  /** @throws UNAUTHENTICATED or TOKEN_INVALID */
  readonly authenticate: (request: IncomingMessage, options: { cookie: boolean }) => Caller | Promise<Caller>;
  /** @throws POLICY_UNAVAILABLE */
  readonly decide: (request: { principal: Caller; action: Action; resource: Resource }) => Decision;
  /** @throws AUDIT_UNAVAILABLE, and then nothing is done */
  readonly audit: (entry: AuditEntry) => Promise<void>;
  readonly limiters: Readonly<Record<'credentials', RequestHandler>>;
}

const ACCESS = new Set<string>([...Action.options, 'public', 'authenticated']);
export const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Mounts the route table. The order of one request is: limit, authenticate, authorize, read and check the input,
 * audit, act. A route whose permission depends on its body is authorized again once the body is read.
 * @throws {Error} when a route declares no access or two routes share method and path
 */
export function mount(app: Express, routes: readonly Route[], guards: Guards): void {
  const methods = new Map<string, Set<Method>>();
  for (const entry of routes) {
    assertDeclared(entry);
    const known = methods.get(entry.path) ?? new Set<Method>();
    if (known.has(entry.method)) throw new Error(`Two routes answer ${entry.method} ${entry.path}.`);
    methods.set(entry.path, known.add(entry.method));
    // Answered before Express; here it only counts as a method of its path.
    if (entry.plane) continue;
    const before = entry.limiter === undefined ? [] : [guards.limiters[entry.limiter]];
    app[entry.method](expressPath(entry.path), ...before, serve(entry, guards));
  }
  for (const [path, known] of methods) app.all(expressPath(path), refuseMethod(known));
}

/** TypeScript asks for `access` too; this holds for tables that come from anywhere else. */
function assertDeclared(entry: Route): void {
  const access: Access | undefined = entry.access;
  if (!ACCESS.has(access)) {
    throw new Error(`${entry.method} ${entry.path} declares no known access: it is not mounted.`);
  }
}

function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

function serve(entry: Route, guards: Guards): RequestHandler {
  const readBody = entry.body === undefined ? undefined : bodyReader(entry);
  return async (request, response) => {
    response.locals['route'] = entry.path;
    nameSpan(entry.method, entry.path);
    const caller = await identify(entry, guards, request);
    const params = validate(entry.params ?? z.unknown(), request.params, 'path');
    const resource = await entry.resource(params);
    const asked = { caller, request, response };
    // Before the body is read, something that it could say must be allowed.
    const possible = (entry.bodyResource?.anyOf ?? [{}]).map((added) => ({ ...resource, ...added }));
    const early = await permit(entry, guards, asked, possible);
    const query = validate(entry.query ?? z.unknown(), request.query, 'query');
    const headers = validate(entry.headers ?? z.unknown(), request.headers, 'header');
    const body = await readBody?.(request, response);
    const rule = entry.bodyResource
      ? await permit(entry, guards, asked, [{ ...resource, ...entry.bodyResource.of(body) }])
      : early;
    await deadline(entry.timeout ?? DEFAULT_TIMEOUT_MS, response, async (signal) => {
      const context = {
        params,
        query,
        headers,
        body,
        caller,
        traceId: traceIdOf(response),
        signal,
        request,
        response,
      };
      if (isAudited(entry)) await guards.audit(auditEntry(entry, context, rule));
      await answer(entry, context);
    });
  };
}

async function identify(entry: Route, guards: Guards, request: Request): Promise<Caller> {
  if (entry.access === 'public') return ANONYMOUS;
  return guards.authenticate(request, { cookie: entry.cookie === true });
}

interface Asked {
  readonly caller: Caller;
  readonly request: Request;
  readonly response: Response;
}

/** @returns the rule that allows the action on one of the resources */
async function permit(
  entry: Route,
  guards: Guards,
  { caller, request, response }: Asked,
  resources: readonly Resource[],
): Promise<string> {
  if (entry.access === 'public' || entry.access === 'authenticated') return entry.access;
  const { access: action } = entry;
  const { sub } = caller;
  let denial = 'default-deny';
  for (const resource of resources) {
    const { allow, rule } = guards.decide({ principal: caller, action, resource });
    if (allow) return rule;
    denial = rule;
  }
  const traceId = traceIdOf(response);
  if (isAudited(entry)) {
    const detail = { traceId, rule: denial, ...keyOf(caller) };
    await guards.audit({ actor: sub, action, subject: subjectOf(request), decision: 'deny', detail });
  } else await entry.denied?.({ caller, traceId, asked: request.path, rule: denial });
  throw forbidden(caller, action, denial);
}

export function forbidden({ sub }: Caller, action: Action, rule: string): ApiError {
  return new ApiError('FORBIDDEN', `${action} is not allowed to ${sub} (${rule}).`);
}

async function answer(entry: Route, context: RequestContext): Promise<void> {
  const { response } = context;
  response.status(entry.success.status);
  const body = await entry.handler(context);
  if (response.headersSent || entry.success.schema === undefined) {
    if (!response.headersSent && entry.success.status === 204) response.end();
    return;
  }
  response.json(body);
}

function isAudited(entry: Route): boolean {
  return entry.audited ?? (entry.method !== 'get' && entry.access !== 'public');
}

function auditEntry(entry: Route, context: RequestContext, rule: string): AuditEntry {
  return {
    actor: context.caller.sub,
    action: entry.access,
    subject: subjectOf(context.request),
    decision: 'allow',
    detail: { traceId: context.traceId, rule, ...keyOf(context.caller), ...entry.auditDetail(context) },
  };
}

function keyOf({ scope }: Caller): Readonly<Record<string, string>> {
  return scope === undefined ? {} : { apiKey: scope.id };
}

function subjectOf(request: Request): string {
  return `${request.method} ${request.path}`;
}

function refuseMethod(known: ReadonlySet<Method>): RequestHandler {
  const allow = [...known].flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
  return (request, response) => {
    response.set('Allow', [...allow, 'OPTIONS'].join(', '));
    if (request.method !== 'OPTIONS') {
      throw new ApiError('METHOD_NOT_ALLOWED', `${request.method} is not a method of this path.`);
    }
    response.status(204).end();
  };
}

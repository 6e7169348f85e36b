import type { IncomingHttpHeaders } from 'node:http';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { ErrorCode } from '../../contracts/errors.ts';
import type { Action, KeyScope, Principal } from '../../contracts/roles.ts';
import type { Resource } from '../../lib/policy/index.ts';

/** Who sends a request, as its verified token or session says. */
export interface Caller extends Readonly<Principal> {
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** What the API key that the request brings was made for. */
  readonly scope?: KeyScope;
}

export const ANONYMOUS: Caller = { sub: 'anonymous', roles: [], tenant: 'default', expiresAt: 0 };

export type Method = 'get' | 'post' | 'delete';

/**
 * What a route asks permission for. `public` needs no token, `authenticated` any valid one; everything else is an
 * action that policy decides about. There is no default: a route that does not say cannot be mounted.
 */
export type Access = Action | 'public' | 'authenticated';

export interface RequestContext<P = unknown, Q = unknown, H = unknown, B = unknown> {
  readonly params: P;
  readonly query: Q;
  readonly headers: H;
  readonly body: B;
  /** `ANONYMOUS` on public routes. */
  readonly caller: Caller;
  readonly traceId: string;
  /** Aborts when the client goes away or the route's time is up. */
  readonly signal: AbortSignal;
  readonly request: Request;
  readonly response: Response;
}

/** The successful answer. Without `schema` the handler writes the response itself (streams, HTML, text). */
export interface Success<R extends z.ZodType | undefined> {
  readonly status: 200 | 201 | 202 | 204;
  readonly description: string;
  readonly schema?: R;
  readonly mediaType?: string;
  /** Comes with the same body where the answer is no. */
  readonly otherStatus?: 503;
  /** Media types that the answer may have besides, for requests that ask for it. */
  readonly otherTypes?: readonly string[];
  /** Header name → what it holds. */
  readonly headers?: Readonly<Record<string, string>>;
}

export type BodyType = 'application/json' | 'application/x-www-form-urlencoded' | 'application/octet-stream';

/** A body that the handler reads itself, as a stream: `uploadedBytes`. */
export interface UploadBody {
  readonly types: readonly string[];
  /** Bytes. */
  readonly limit: number;
}

/** Both add to the `resource` of the route. */
export interface BodyResource<B> {
  /** Everything that `of` can answer: who may do nothing of it is refused before any body is read. */
  readonly anyOf: readonly Resource[];
  of(body: B): Resource;
}

export interface RouteSpec<
  P extends z.ZodType,
  Q extends z.ZodType,
  H extends z.ZodType,
  B extends z.ZodType,
  R extends z.ZodType | undefined,
> {
  readonly method: Method;
  /** OpenAPI form: `/v1/models/{name}`. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** A part of a page, which no client calls: left out of the OpenAPI document. */
  readonly undocumented?: boolean;
  readonly access: Access;
  /** What the action is about, for policy: looked up by the path alone, before any body is read. */
  resource?(params: z.infer<P>): Promise<Resource> | Resource;
  /** What only the body says about the resource. Policy is then asked twice, before and after the body is read. */
  readonly bodyResource?: BodyResource<z.infer<B>>;
  /** A session cookie is enough, from the origins that may send one; everywhere else only a bearer token counts. */
  readonly cookie?: boolean;
  /** Written to the audit log before the effect; default: every POST and DELETE with an access of its own. */
  readonly audited?: boolean;
  /** What the audit entry names besides the path: never a secret. */
  auditDetail?(context: RequestContext<z.infer<P>, z.infer<Q>, z.infer<H>, z.infer<B>>): Record<string, string>;
  /** Keeps a record of a refusal by policy, where the route is not `audited`. @throws AUDIT_UNAVAILABLE */
  denied?(denial: Denial): Promise<void>;
  readonly params?: P;
  readonly query?: Q;
  readonly headers?: H;
  readonly body?: B;
  /** Default: JSON only. */
  readonly bodyTypes?: readonly BodyType[];
  /** A body without a media type is taken for the first of `bodyTypes`: clients of the Open Inference Protocol send none. */
  readonly untyped?: boolean;
  /** The body may be left out; it is then `{}`. */
  readonly bodyOptional?: boolean;
  /** Bytes; default 256 KiB. */
  readonly bodyLimit?: number;
  /** Instead of `body`. */
  readonly upload?: UploadBody;
  /** Milliseconds until the answer must be there, 0 for streams; default 30 s. */
  readonly timeout?: number;
  readonly limiter?: 'credentials';
  readonly success: Success<R>;
  /** What can go wrong beyond what every route of its kind shares. */
  readonly errors?: readonly ErrorCode[];
  handler(
    context: RequestContext<z.infer<P>, z.infer<Q>, z.infer<H>, z.infer<B>>,
  ): R extends z.ZodType ? Promise<z.infer<R>> | z.infer<R> : Promise<void> | void;
}

/** What policy refused. */
export interface Denial {
  readonly caller: Caller;
  readonly traceId: string;
  /** Path of the request. */
  readonly asked: string;
  readonly rule: string;
}

/** A request of the data plane: its body as it came. */
export interface RawContext<P = unknown> {
  readonly params: P;
  readonly headers: IncomingHttpHeaders;
  /** Without a content coding. */
  readonly body: Buffer;
  readonly caller: Caller;
  readonly traceId: string;
  /** Path of the request. */
  readonly asked: string;
  /** Why nobody waits for the answer any more: the client went away, or time is up. Changes while the request is served. */
  readonly patience: {
    readonly over: Error | undefined;
    /** Ends the wait after so many milliseconds, unless it ends earlier anyway. */
    limit?(milliseconds: number): void;
  };
  /** Where headers of the answer are set, whatever it will be. */
  readonly response: { setHeader(name: string, value: string): unknown };
}

export interface RawAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/**
 * What the data plane answers before Express sees the request. `body` and `success` describe it; reading the one and
 * writing the other is the handler's work.
 */
export interface RawRouteSpec<P extends z.ZodType> extends Omit<
  RouteSpec<P, z.ZodUndefined, z.ZodUndefined, z.ZodType, z.ZodType>,
  | 'handler'
  | 'resource'
  | 'bodyResource'
  | 'auditDetail'
  | 'audited'
  | 'query'
  | 'headers'
  | 'upload'
  | 'limiter'
  | 'access'
> {
  readonly access: Action;
  /** Of the path alone: it is remembered for it. */
  readonly resource: (params: z.infer<P>) => Resource;
  /** Keeps a record of a refusal by policy. @throws AUDIT_UNAVAILABLE */
  denied(denial: Denial): Promise<void>;
  readonly raw: (context: RawContext<z.infer<P>>) => Promise<RawAnswer>;
}

/** How the data plane serves a route. */
export interface RawHandling {
  resource(params: unknown): Resource;
  raw(context: RawContext): Promise<RawAnswer>;
}

/** A route with its types erased, as the table holds it. */
export interface Route extends Omit<
  RouteSpec<z.ZodType, z.ZodType, z.ZodType, z.ZodType, z.ZodType | undefined>,
  'handler' | 'auditDetail' | 'resource' | 'bodyResource'
> {
  /** Present where the data plane answers. */
  readonly plane?: RawHandling;
  resource(params: unknown): Promise<Resource>;
  readonly bodyResource: BodyResource<unknown> | undefined;
  handler(context: RequestContext): Promise<unknown>;
  auditDetail(context: RequestContext): Record<string, string>;
}

/** Types the handler by the schemas beside it. */
export function route<
  P extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodType = z.ZodUndefined,
  H extends z.ZodType = z.ZodUndefined,
  B extends z.ZodType = z.ZodUndefined,
  R extends z.ZodType | undefined = undefined,
>(spec: RouteSpec<P, Q, H, B, R>): Route {
  type Parsed = RequestContext<z.infer<P>, z.infer<Q>, z.infer<H>, z.infer<B>>;
  // The mount parses each part with the schema of this very spec before it calls any of these functions.
  return {
    ...spec,
    handler: async (context) => spec.handler(context as Parsed),
    resource: async (params) => (await spec.resource?.(params as z.infer<P>)) ?? {},
    bodyResource: spec.bodyResource && {
      anyOf: spec.bodyResource.anyOf,
      of: (body) => spec.bodyResource?.of(body as z.infer<B>) ?? {},
    },
    auditDetail: (context) => spec.auditDetail?.(context as Parsed) ?? {},
  };
}

/** A route of the data plane, declared in the same table as all the others. */
export function rawRoute<P extends z.ZodType>(spec: RawRouteSpec<P>): Route {
  const { raw, resource, ...declared } = spec;
  const plane: RawHandling = {
    resource: (params) => resource(params as z.infer<P>),
    raw: (context) => raw(context as RawContext<z.infer<P>>),
  };
  return {
    ...declared,
    audited: false,
    plane,
    bodyResource: undefined,
    resource: async (params) => plane.resource(params),
    auditDetail: () => ({}),
    handler: () => Promise.reject(new Error('This route is answered by the data plane.')),
  };
}

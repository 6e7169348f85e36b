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

/** An answer whose bytes are made by the handler, in place of a value that is written as JSON. */
export class EncodedBody {
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;

  constructor(headers: Readonly<Record<string, string>>, bytes: Buffer) {
    this.headers = headers;
    this.bytes = bytes;
  }
}

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
  D = z.infer<B>,
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
  readonly bodyResource?: BodyResource<D>;
  /** A session cookie is enough, from the origins that may send one; everywhere else only a bearer token counts. */
  readonly cookie?: boolean;
  /** Written to the audit log before the effect; default: every POST and DELETE with an access of its own. */
  readonly audited?: boolean;
  /** What the audit entry names besides the path: never a secret. */
  auditDetail?(context: RequestContext<z.infer<P>, z.infer<Q>, z.infer<H>, D>): Record<string, string>;
  readonly params?: P;
  readonly query?: Q;
  readonly headers?: H;
  readonly body?: B;
  /** Reads the body from its bytes; `body` then only documents what is sent as JSON. */
  readonly decode?: (bytes: Buffer, headers: IncomingHttpHeaders) => D;
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
    context: RequestContext<z.infer<P>, z.infer<Q>, z.infer<H>, D>,
  ): R extends z.ZodType ? Promise<z.infer<R> | EncodedBody> | z.infer<R> | EncodedBody : Promise<void> | void;
}

/** A route with its types erased, as the table holds it. */
export interface Route extends Omit<
  RouteSpec<z.ZodType, z.ZodType, z.ZodType, z.ZodType, z.ZodType | undefined, unknown>,
  'handler' | 'auditDetail' | 'resource' | 'bodyResource'
> {
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
  D = z.infer<B>,
>(spec: RouteSpec<P, Q, H, B, R, D>): Route {
  type Parsed = RequestContext<z.infer<P>, z.infer<Q>, z.infer<H>, D>;
  // The mount parses each part with the schema of this very spec before it calls any of these functions.
  return {
    ...spec,
    handler: async (context) => spec.handler(context as Parsed),
    resource: async (params) => (await spec.resource?.(params as z.infer<P>)) ?? {},
    bodyResource: spec.bodyResource && {
      anyOf: spec.bodyResource.anyOf,
      of: (body) => spec.bodyResource?.of(body as D) ?? {},
    },
    auditDetail: (context) => spec.auditDetail?.(context as Parsed) ?? {},
  };
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { context } from '@opentelemetry/api';
import type { Logger } from '../http/error-handler.ts';
import type { HttpMetrics } from '../http/metrics.ts';
import { DEFAULT_TIMEOUT_MS, forbidden, type Guards } from '../http/mount.ts';
import type { Route } from '../http/route.ts';
import { securityHeaders } from '../http/security.ts';
import { beginTrace, endTrace, nameSpan } from '../http/trace.ts';
import { rawBodyReader } from './body.ts';
import { Deadlines } from './deadlines.ts';
import { Exchange } from './exchange.ts';
import { Paths, pathOf, type Match, type PlaneRoute } from './paths.ts';

export interface DataPlaneOptions {
  /** Of the route table; those of the data plane are picked out. */
  readonly routes: readonly Route[];
  readonly guards: Pick<Guards, 'authenticate' | 'decide'>;
  readonly metrics: HttpMetrics;
  readonly logger: Logger;
  /** True when clients reach the API by https. */
  readonly https: boolean;
}

type BodyReader = ReturnType<typeof rawBodyReader>;

/**
 * Answers the routes of the data plane on Node's own server, before Express, which costs more than a prediction. The
 * order of one request is that of `mount`: authenticate, authorize, read the body, act. What it shares with the rest of
 * the API, it shares as code: guards, errors, headers, metrics and traces.
 */
export class DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #paths: Paths;
  readonly #readers = new Map<PlaneRoute, BodyReader>();
  readonly #headers: readonly string[];
  readonly #deadlines = new Deadlines();

  constructor(options: DataPlaneOptions) {
    this.#options = options;
    this.#paths = new Paths(options.routes);
    this.#headers = securityHeaders(options.https);
  }

  /** @returns false where the request is none of the data plane's */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const path = pathOf(request.url ?? '/');
    const match = this.#paths.find(request.method ?? '', path);
    if (match === undefined) return false;
    this.#begin(match, path, request, response);
    return true;
  }

  #begin(match: Match, path: string, request: IncomingMessage, response: ServerResponse): void {
    const { metrics, logger } = this.#options;
    const startedAt = metrics.begun();
    const trace = beginTrace(request, path);
    nameSpan(match.route.method, match.route.path, trace.span);
    const exchange = new Exchange({
      ...{ request, response, path, trace, logger },
      headers: this.#headers,
      deadlines: this.#deadlines,
    });
    response.once('close', () => {
      exchange.closed();
      metrics.ended(startedAt, request, response, match.route.path);
      endTrace(trace, response);
    });
    context
      .with(trace.context, () => this.#serve(match, { request, response, path, exchange, traceId: trace.traceId }))
      .catch((error: unknown) => exchange.refuse(error));
  }

  async #serve({ route, target }: Match, { request, response, path, exchange, traceId }: Served): Promise<void> {
    const { guards } = this.#options;
    const found = guards.authenticate(request, { cookie: false });
    // Who is known already is not waited for.
    const caller = found instanceof Promise ? await found : found;
    const { params, resource } = target();
    const action = route.access as Exclude<typeof route.access, 'public' | 'authenticated'>;
    const { allow, rule } = guards.decide({ principal: caller, action, resource });
    if (!allow) {
      await route.denied?.({ caller, traceId, asked: path, rule });
      throw forbidden(caller, action, rule);
    }
    const body = await this.#reader(route)(request, response);
    exchange.limit(route.timeout ?? DEFAULT_TIMEOUT_MS);
    const asked = { params, headers: request.headers, body, caller, traceId, asked: path };
    const answer = await route.plane.raw({ ...asked, patience: exchange, response: exchange });
    exchange.answer(route.success.status, answer);
  }

  #reader(route: PlaneRoute): BodyReader {
    const known = this.#readers.get(route) ?? rawBodyReader(route);
    this.#readers.set(route, known);
    return known;
  }
}

interface Served {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly exchange: Exchange;
  readonly traceId: string;
}

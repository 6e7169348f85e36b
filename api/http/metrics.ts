import type { IncomingMessage, ServerResponse } from 'node:http';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { RequestHandler } from 'express';

/** HTTP metrics under the names of OpenTelemetry's semantic conventions. Labels hold the route, never the raw path. */
export class HttpMetrics {
  readonly #duration: Histogram<'http_request_method' | 'http_route' | 'http_response_status_code'>;
  readonly #active: Gauge;
  readonly #aborted: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#duration = new Histogram({
      name: 'http_server_request_duration_seconds',
      help: 'Time from the first byte of a request to the end of its answer.',
      labelNames: ['http_request_method', 'http_route', 'http_response_status_code'] as const,
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    this.#active = new Gauge({
      name: 'http_server_active_requests',
      help: 'Requests that are being answered.',
      registers,
    });
    this.#aborted = new Counter({
      name: 'http_server_aborted_requests_total',
      help: 'Requests whose client went away before the answer was complete.',
      registers,
    });
  }

  /** @returns milliseconds of the monotonic clock, for `ended` */
  begun(): number {
    this.#active.inc();
    return performance.now();
  }

  ended(startedAt: number, { method = '' }: IncomingMessage, response: ServerResponse, route: string): void {
    this.#active.dec();
    if (!response.writableFinished) this.#aborted.inc();
    this.#duration.observe(
      { http_request_method: method, http_route: route, http_response_status_code: String(response.statusCode) },
      (performance.now() - startedAt) / 1000,
    );
  }
}

export function httpMetrics(metrics: HttpMetrics): RequestHandler {
  return (request, response, next) => {
    const startedAt = metrics.begun();
    response.once('close', () => {
      const route: unknown = response.locals['route'];
      metrics.ended(startedAt, request, response, typeof route === 'string' ? route : 'unmatched');
    });
    next();
  };
}

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { RequestHandler } from 'express';

/** HTTP metrics under the names of OpenTelemetry's semantic conventions. Labels hold the route, never the raw path. */
export function httpMetrics(registry: Registry): RequestHandler {
  const duration = new Histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Time from the first byte of a request to the end of its answer.',
    labelNames: ['http_request_method', 'http_route', 'http_response_status_code'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  const active = new Gauge({
    name: 'http_server_active_requests',
    help: 'Requests that are being answered.',
    registers: [registry],
  });
  const aborted = new Counter({
    name: 'http_server_aborted_requests_total',
    help: 'Requests whose client went away before the answer was complete.',
    registers: [registry],
  });
  return (request, response, next) => {
    const startedAt = process.hrtime.bigint();
    active.inc();
    response.once('close', () => {
      active.dec();
      if (!response.writableFinished) aborted.inc();
      const route: unknown = response.locals['route'];
      duration.observe(
        {
          http_request_method: request.method,
          http_route: typeof route === 'string' ? route : 'unmatched',
          http_response_status_code: String(response.statusCode),
        },
        Number(process.hrtime.bigint() - startedAt) / 1e9,
      );
    });
    next();
  };
}

import express, { type Express, type RequestHandler } from 'express';
import { errorHandler, notFound, type Logger } from './http/error-handler.ts';
import { httpMetrics, type HttpMetrics } from './http/metrics.ts';
import { mount, type Guards } from './http/mount.ts';
import type { Route } from './http/route.ts';
import { security } from './http/security.ts';
import { traceRequests } from './http/trace.ts';

export interface AppOptions {
  readonly routes: readonly Route[];
  readonly guards: Guards;
  readonly logger: Logger;
  readonly metrics: HttpMetrics;
  /** True when clients reach the API by https: browsers are then told to keep to it. */
  readonly https: boolean;
  /** Answers preflight requests of the browsers' origins that may read from this API. */
  readonly cors: RequestHandler;
}

/** The whole HTTP surface as one Express application; it listens nowhere yet. */
export function createApp(options: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('strict routing', false);
  app.use(traceRequests());
  app.use(httpMetrics(options.metrics));
  app.use(security(options.https));
  app.use(options.cors);
  mount(app, options.routes, options.guards);
  app.use(notFound());
  app.use(errorHandler(options.logger));
  return app;
}

import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Registry } from 'prom-client';
import { errorHandler, notFound, type Logger } from './http/error-handler.ts';
import { httpMetrics } from './http/metrics.ts';
import { mount, type Guards } from './http/mount.ts';
import type { Route } from './http/route.ts';
import { traceRequests } from './http/trace.ts';

export interface AppOptions {
  readonly routes: readonly Route[];
  readonly guards: Guards;
  readonly logger: Logger;
  readonly registry: Registry;
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
  app.use(httpMetrics(options.registry));
  app.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
      strictTransportSecurity: options.https,
      // Pages of other ports of the same host (the Temporal UI) read the codec's answers.
      crossOriginResourcePolicy: { policy: 'same-site' },
    }),
  );
  app.use((_request, response, next) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  app.use(options.cors);
  mount(app, options.routes, options.guards);
  app.use(notFound());
  app.use(errorHandler(options.logger));
  return app;
}

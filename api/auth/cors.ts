import type { RequestHandler } from 'express';

export interface CorsOptions {
  /** Origins allowed, compared as a whole. */
  readonly origins: ReadonlySet<string>;
  /** Path prefix that other origins may call. */
  readonly prefix: string;
}

/** Lets the named origins read answers below `prefix` with their cookies, and nobody read anything else. */
export function cors({ origins, prefix }: CorsOptions): RequestHandler {
  return (request, response, next) => {
    if (!request.path.startsWith(prefix)) {
      next();
      return;
    }
    response.vary('Origin');
    const origin = request.headers.origin;
    const allowed = origin !== undefined && origins.has(origin);
    if (allowed) {
      response.set('Access-Control-Allow-Origin', origin);
      response.set('Access-Control-Allow-Credentials', 'true');
    }
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) {
      next();
      return;
    }
    if (allowed) {
      response.set('Access-Control-Allow-Methods', 'POST');
      response.set('Access-Control-Allow-Headers', 'Content-Type, X-Namespace, Authorization');
      response.set('Access-Control-Max-Age', '600');
    }
    response.status(204).end();
  };
}

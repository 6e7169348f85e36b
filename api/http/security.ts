import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import helmet from 'helmet';

/**
 * Headers of every answer that keep browsers from misusing it.
 * @param https true when clients reach the API by https: browsers are then told to keep to it
 */
export function security(https: boolean): RequestHandler {
  const protect = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    strictTransportSecurity: https,
    // Pages of other ports of the same host (the Temporal UI) read the codec's answers.
    crossOriginResourcePolicy: { policy: 'same-site' },
  });
  return (request, response, next) => {
    response.setHeader('Cache-Control', 'no-store');
    protect(request, response, next);
  };
}

/** What `security` sets on any answer, as name and value in turn, where no chain of handlers runs. */
export function securityHeaders(https: boolean): readonly string[] {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  security(https)(request as never, response as never, () => undefined);
  return response.getHeaderNames().flatMap((name) => [name, String(response.getHeader(name))]);
}

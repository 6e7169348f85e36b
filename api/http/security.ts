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

/**
 * Those that say something of an answer that is no page (OWASP REST Security Cheat Sheet, "Security Headers"): every one
 * costs time on each prediction.
 */
const OF_ANY_ANSWER: ReadonlySet<string> = new Set([
  'cache-control',
  'content-security-policy',
  'cross-origin-resource-policy',
  'strict-transport-security',
  'x-content-type-options',
  'x-frame-options',
]);

/** What `security` sets on an answer of the data plane, as name and value in turn, where no chain of handlers runs. */
export function securityHeaders(https: boolean): readonly string[] {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  security(https)(request as never, response as never, () => undefined);
  const names = response.getHeaderNames().filter((name) => OF_ANY_ANSWER.has(name));
  return names.flatMap((name) => [name, String(response.getHeader(name))]);
}

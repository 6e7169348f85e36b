import { randomBytes } from 'node:crypto';
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  context,
  isSpanContextValid,
  propagation,
  trace,
  type Span,
} from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import type { NextFunction, Request, RequestHandler, Response } from 'express';

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
/** Asked every few seconds by machines: spans of them would hide the others. */
const PROBES = /^\/(?:health|v2\/health|metrics)(?:\/|$)/;
const tracer = trace.getTracer('saip-api');

/**
 * Opens the server span of a request (W3C `traceparent` in) and runs the rest of the chain inside it. The trace id is
 * there without an exporter too, because problems and log lines name it.
 */
export function traceRequests(): RequestHandler {
  return (request: Request, response: Response, next: NextFunction) => {
    const caller = propagation.extract(ROOT_CONTEXT, request.headers);
    const parent = PROBES.test(request.path) ? suppressTracing(caller) : caller;
    const span = tracer.startSpan(
      request.method,
      {
        kind: SpanKind.SERVER,
        attributes: { 'http.request.method': request.method, 'url.path': request.path },
      },
      parent,
    );
    response.locals['traceId'] = traceIdFor(span, request.get('traceparent'));
    response.once('close', () => {
      endSpan(span, response);
    });
    context.with(trace.setSpan(parent, span), next);
  };
}

export function traceIdOf(response: Response): string {
  const value: unknown = response.locals['traceId'];
  return typeof value === 'string' ? value : '0'.repeat(32);
}

/** Names the span by the route once it is known; a raw path would give every id a name of its own. */
export function nameSpan(method: string, path: string): void {
  const span = trace.getActiveSpan();
  span?.updateName(`${method.toUpperCase()} ${path}`);
  span?.setAttribute('http.route', path);
}

function traceIdFor(span: Span, traceparent: string | undefined): string {
  const spanContext = span.spanContext();
  if (isSpanContextValid(spanContext)) return spanContext.traceId;
  const given = traceparent === undefined ? undefined : TRACEPARENT.exec(traceparent)?.[1];
  return given !== undefined && !/^0+$/.test(given) ? given : randomBytes(16).toString('hex');
}

function endSpan(span: Span, response: Response): void {
  span.setAttribute('http.response.status_code', response.statusCode);
  if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  if (!response.writableFinished) span.setAttribute('error.type', 'client_closed');
  span.end();
}

/** Runs what repeats itself in the background, such as polling, without spans. */
export function untraced<T>(work: () => T): T {
  return context.with(suppressTracing(ROOT_CONTEXT), work);
}

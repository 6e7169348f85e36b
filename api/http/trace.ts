import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  context,
  isSpanContextValid,
  propagation,
  trace,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { randomHex } from './random-hex.ts';

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
/** Asked every few seconds by machines: spans of them would hide the others. */
const PROBES = /^\/(?:health|v2\/health|metrics)(?:\/|$)/;
const tracer = trace.getTracer('saip-api');

/** The trace that a request belongs to, with or without an exporter. */
export interface RequestTrace {
  readonly traceId: string;
  /** W3C Trace Context, for the answer. */
  readonly traceparent: string;
  readonly span: Span;
  /** Where the work of the request runs. */
  readonly context: Context;
}

/**
 * Opens the server span of a request (W3C `traceparent` in). The trace id is there without an exporter too, because
 * problems, log lines and audit records name it.
 */
export function beginTrace(
  { method = '', headers }: Pick<IncomingMessage, 'method' | 'headers'>,
  path: string,
): RequestTrace {
  const caller = propagation.extract(ROOT_CONTEXT, headers);
  const parent = PROBES.test(path) ? suppressTracing(caller) : caller;
  const attributes = { 'http.request.method': method, 'url.path': path };
  const span = tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, parent);
  const own = span.spanContext();
  const traced = isSpanContextValid(own);
  const ids = traced
    ? { traceId: own.traceId, spanId: own.spanId, flags: own.traceFlags & 1 }
    : { traceId: givenTraceId(headers) ?? randomHex(16), spanId: randomHex(8), flags: 0 };
  return {
    traceId: ids.traceId,
    traceparent: `00-${ids.traceId}-${ids.spanId}-0${String(ids.flags)}`,
    span,
    // Without an exporter there is no span that anything could lie in.
    context: traced ? trace.setSpan(parent, span) : parent,
  };
}

/** Ends the server span, once the answer is out or the client is gone. */
export function endTrace({ span }: RequestTrace, response: ServerResponse): void {
  if (!span.isRecording()) return;
  span.setAttribute('http.response.status_code', response.statusCode);
  if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  if (!response.writableFinished) span.setAttribute('error.type', 'client_closed');
  span.end();
}

/** Runs the rest of the chain inside the request's trace. */
export function traceRequests(): RequestHandler {
  return (request: Request, response: Response, next: NextFunction) => {
    const begun = beginTrace(request, request.path);
    response.locals['traceId'] = begun.traceId;
    response.set('traceparent', begun.traceparent);
    response.once('close', () => {
      endTrace(begun, response);
    });
    context.with(begun.context, next);
  };
}

export function traceIdOf(response: Response): string {
  const value: unknown = response.locals['traceId'];
  return typeof value === 'string' ? value : '0'.repeat(32);
}

/** Names the span by the route once it is known; a raw path would give every id a name of its own. */
export function nameSpan(method: string, path: string, span = trace.getActiveSpan()): void {
  span?.updateName(`${method.toUpperCase()} ${path}`);
  span?.setAttribute('http.route', path);
}

function givenTraceId({ traceparent }: IncomingHttpHeaders): string | undefined {
  const given = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.[1] : undefined;
  return given === undefined || /^0+$/.test(given) ? undefined : given;
}

/** Runs what repeats itself in the background, such as polling, without spans. */
export function untraced<T>(work: () => T): T {
  return context.with(suppressTracing(ROOT_CONTEXT), work);
}

import { z } from 'zod';
import { isSaipError } from '../../contracts/errors.ts';
import { ApiError } from '../errors.ts';
import { EventStream, type EventStreamOptions } from '../http/event-stream.ts';
import type { Logger } from '../http/error-handler.ts';
import { route, type RequestContext, type Route } from '../http/route.ts';
import type { EventFeeds, FeedEvent } from '../temporal/event-feed.ts';
import type { TemporalGateway } from '../temporal/gateway.ts';
import { readDetail } from '../temporal/progress.ts';
import { WorkflowParams, workflowResource } from './workflows.ts';

export interface WorkflowEventsOptions {
  readonly temporal: TemporalGateway;
  readonly feeds: EventFeeds;
  readonly logger: Logger;
  readonly stream?: EventStreamOptions;
  /** Streams open at the same time in this process; default 500. */
  readonly maxStreams?: number;
  /** Streams that one subject may have open, so that nobody can take them all; default 100. */
  readonly maxStreamsEach?: number;
}

type EventsContext = RequestContext<
  z.infer<typeof WorkflowParams>,
  unknown,
  { 'last-event-id'?: string | undefined },
  unknown
>;

const DEFAULT_MAX_STREAMS = 500;
const DEFAULT_MAX_STREAMS_EACH = 100;

/** `GET /v1/workflows/{id}/events` */
export function workflowEventsRoute(options: WorkflowEventsOptions): Route {
  const max = options.maxStreams ?? DEFAULT_MAX_STREAMS;
  const maxEach = options.maxStreamsEach ?? DEFAULT_MAX_STREAMS_EACH;
  let open = 0;
  const openBy = new Map<string, number>();
  return route({
    method: 'get',
    path: '/v1/workflows/{id}/events',
    operationId: 'streamWorkflowEvents',
    tag: 'Workflows',
    summary: 'Progress as server-sent events',
    description:
      'Events `progress` hold a WorkflowEvent; the last one is `end` and holds the whole WorkflowDetail. Comments keep ' +
      'the connection alive. Send `Last-Event-ID` to go on after a lost connection. The stream ends without `end` when ' +
      'the token expires: connect again with a new one.',
    access: 'workflow:read',
    resource: ({ id }) => workflowResource(options.temporal, id),
    params: WorkflowParams,
    headers: z.object({ 'last-event-id': z.string().max(128).optional() }),
    timeout: 0,
    success: { status: 200, description: 'The stream.', mediaType: 'text/event-stream' },
    errors: ['WORKFLOW_UNKNOWN', 'UNAVAILABLE', 'RATE_LIMITED'],
    handler: async (context) => {
      const { sub } = context.caller;
      const own = openBy.get(sub) ?? 0;
      if (own >= maxEach) throw tooMany(own);
      if (open >= max) throw busy();
      open += 1;
      openBy.set(sub, own + 1);
      try {
        await stream(options, context);
      } finally {
        open -= 1;
        const left = (openBy.get(sub) ?? 1) - 1;
        if (left === 0) openBy.delete(sub);
        else openBy.set(sub, left);
      }
    },
  });
}

async function stream(options: WorkflowEventsOptions, context: EventsContext): Promise<void> {
  const { params, headers, caller, response } = context;
  if (!options.feeds.hasRoomFor(params.id)) throw busy();
  const events = new EventStream(response, options.stream);
  const stop = options.feeds.listen(params.id, headers['last-event-id'], {
    onEvent: deliver,
    onError: (error) => {
      options.logger.warn({ err: error, workflowId: params.id }, 'The workflow cannot be watched any longer.');
      events.end();
    },
  });
  const expiry = setTimeout(() => events.end(), Math.max(0, caller.expiresAt * 1000 - Date.now())).unref();
  try {
    await events.closed;
  } finally {
    clearTimeout(expiry);
    stop();
  }

  function deliver({ id, data, last }: FeedEvent): void {
    events.send({ event: 'progress', id, data });
    if (last) void finish(id);
  }

  async function finish(id: string): Promise<void> {
    try {
      events.end({ event: 'end', id, data: await readDetail(options.temporal, params.id) });
    } catch (error) {
      // Without `end` the client connects again and gets it then.
      options.logger.warn({ err: error, code: isSaipError(error) ? error.code : undefined }, 'A stream ends early.');
      events.end();
    }
  }
}

function tooMany(own: number): ApiError {
  const message = `You watch ${String(own)} workflows already; close some first.`;
  return new ApiError('RATE_LIMITED', message, { headers: { 'Retry-After': '10' } });
}

function busy(): ApiError {
  return new ApiError('UNAVAILABLE', 'Too many workflows are watched.', { headers: { 'Retry-After': '10' } });
}

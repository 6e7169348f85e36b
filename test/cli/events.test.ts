import { describe, expect, it } from '@jest/globals';
import { backoffDelay, followEvents } from '../../cli/client/events.ts';
import type { EventsOptions, StreamItem } from '../../cli/client/events.ts';
import { loopbackServer, sendProblem, startEventStream, writeEvent } from './support/server.ts';
import type { LoopbackServer } from './support/server.ts';
import { closed, COMPLETED, event, trainingProgress } from './support/workflow.ts';

const backoff = { initialMs: 1, maxMs: 4, maxAttempts: 3 };
const END = closed(COMPLETED);

function options(server: LoopbackServer, rest: Partial<EventsOptions> = {}): EventsOptions {
  return { url: new URL('/events', server.url), token: () => Promise.resolve('t'), backoff, ...rest };
}

async function kinds(stream: AsyncIterable<StreamItem>): Promise<string[]> {
  const seen: string[] = [];
  for await (const item of stream) seen.push(item.kind);
  return seen;
}

describe('followEvents', () => {
  it('ends with the event "end"', async () => {
    await using server = await loopbackServer((_request, response) => {
      startEventStream(response);
      writeEvent(response, 1, 'progress', event(trainingProgress(1)));
      writeEvent(response, 2, 'unknown-to-this-version', {});
      writeEvent(response, 3, 'end', END);
    });
    expect(await kinds(followEvents(options(server)))).toEqual(['progress', 'end']);
    expect(server.requests[0]?.headers).toMatchObject({ accept: 'text/event-stream', authorization: 'Bearer t' });
  });

  it('goes on after the last event it saw when the connection breaks, with a fresh token', async () => {
    await using server = await loopbackServer((_request, response, count) => {
      startEventStream(response);
      if (count === 1) {
        writeEvent(response, 7, 'progress', event(trainingProgress(1)));
        setTimeout(() => response.destroy(), 20);
      } else {
        writeEvent(response, 8, 'progress', event(trainingProgress(2)));
        writeEvent(response, 9, 'end', END);
      }
    });
    let tokens = 0;
    const stream = followEvents(options(server, { token: () => Promise.resolve(`t${String((tokens += 1))}`) }));
    expect(await kinds(stream)).toEqual(['progress', 'lost', 'restored', 'progress', 'end']);
    expect(server.requests.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '7']);
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer t1', 'Bearer t2']);
  });

  it('tries again while the server is unavailable', async () => {
    await using server = await loopbackServer((_request, response, count) => {
      if (count < 3) return sendProblem(response, 503, 'UNAVAILABLE', 'Temporal does not answer');
      startEventStream(response);
      writeEvent(response, 1, 'end', END);
    });
    const reasons: string[] = [];
    for await (const item of followEvents(options(server))) if (item.kind === 'lost') reasons.push(item.reason);
    expect(reasons).toEqual(['Temporal does not answer', 'Temporal does not answer']);
  });

  it('takes a server that keeps silent for a lost connection', async () => {
    await using server = await loopbackServer((_request, response, count) => {
      startEventStream(response);
      if (count > 1) writeEvent(response, 1, 'end', END);
    });
    // On a busy machine the second connection can count as silent too.
    const patient = { silenceMs: 500, backoff: { ...backoff, maxAttempts: 50 } };
    const seen = new Set(await kinds(followEvents(options(server, patient))));
    expect([...seen]).toEqual(['lost', 'restored', 'end']);
  });

  it.each([
    [401, 'TOKEN_INVALID', 3],
    [403, 'FORBIDDEN', 3],
    [404, 'WORKFLOW_UNKNOWN', 4],
  ])('gives up at once on %i', async (status, code, exitCode) => {
    await using server = await loopbackServer((_request, response) => sendProblem(response, status, code, 'no'));
    await expect(kinds(followEvents(options(server)))).rejects.toMatchObject({ code, exitCode, message: 'no' });
    expect(server.requests).toHaveLength(1);
  });

  it('gives up after the last attempt', async () => {
    const server = await loopbackServer(() => undefined);
    await server[Symbol.asyncDispose]();
    await expect(kinds(followEvents(options(server)))).rejects.toMatchObject({ exitCode: 6 });
  });

  it('ends without an error when its signal aborts', async () => {
    await using server = await loopbackServer((_request, response) => {
      startEventStream(response);
      writeEvent(response, 1, 'progress', event(trainingProgress(1)));
    });
    const controller = new AbortController();
    const seen: string[] = [];
    for await (const item of followEvents(options(server, { signal: controller.signal }))) {
      seen.push(item.kind);
      controller.abort();
    }
    expect(seen).toEqual(['progress']);
  });
});

describe('backoffDelay', () => {
  it('doubles up to the maximum and spreads over the upper half', () => {
    const delays = [1, 2, 3, 4].map((attempt) =>
      backoffDelay(attempt, { ...backoff, initialMs: 100, maxMs: 400 }, () => 1),
    );
    expect(delays).toEqual([100, 200, 400, 400]);
    expect(backoffDelay(1, { ...backoff, initialMs: 100, maxMs: 400 }, () => 0)).toBe(50);
  });
});

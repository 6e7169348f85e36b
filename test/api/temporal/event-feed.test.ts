import { afterEach, describe, expect, it } from '@jest/globals';
import type { WorkflowEvent } from '../../../contracts/api.ts';
import { ApiError } from '../../../api/errors.ts';
import { EventFeeds, type FeedEvent } from '../../../api/temporal/event-feed.ts';
import { until as untilTrue } from '../support/until.ts';

const opened: EventFeeds[] = [];
afterEach(() => {
  for (const feeds of opened.splice(0)) feeds.close();
});

const state = (step: number, status: WorkflowEvent['status'] = 'running'): WorkflowEvent => ({
  workflowId: 'w',
  runId: `${step}`,
  status,
});

/** Feeds over a state that the test changes. */
function watch(first: WorkflowEvent, options: { maxFeeds?: number; linger?: number } = {}) {
  const source = { now: first, reads: 0, error: undefined as Error | undefined };
  const feeds = new EventFeeds({
    interval: { min: 1, max: 4 },
    ...options,
    read: async () => {
      source.reads += 1;
      if (source.error) throw source.error;
      return source.now;
    },
  });
  opened.push(feeds);
  return { feeds, source };
}

function listener() {
  const events: FeedEvent[] = [];
  const errors: unknown[] = [];
  return {
    events,
    errors,
    onEvent: (event: FeedEvent) => events.push(event),
    onError: (error: unknown) => errors.push(error),
  };
}

const until = (reached: () => boolean) => untilTrue('the feed', reached, 1);

const runIds = (events: readonly FeedEvent[]) => events.map(({ data }) => data.runId);

describe('EventFeeds', () => {
  it('reads a workflow once for all who listen, and tells each change once', async () => {
    const { feeds, source } = watch(state(1));
    const listeners = Array.from({ length: 50 }, listener);
    for (const each of listeners) feeds.listen('w', undefined, each);
    await until(() => listeners.every(({ events }) => events.length === 1));
    const before = source.reads;
    source.now = state(2);
    await until(() => listeners.every(({ events }) => events.length === 2));
    expect(source.reads - before).toBeLessThan(10);
    expect(listeners.map(({ events }) => runIds(events))).toEqual(listeners.map(() => ['1', '2']));
  });

  it('gives somebody who comes back what was missed, and nothing twice', async () => {
    const { feeds, source } = watch(state(1));
    const first = listener();
    const stop = feeds.listen('w', undefined, first);
    const other = listener();
    feeds.listen('w', undefined, other);
    await until(() => first.events.length === 1);
    stop();
    for (const step of [2, 3, 4]) {
      source.now = state(step);
      await until(() => runIds(other.events).includes(`${step}`));
    }
    const again = listener();
    feeds.listen('w', first.events[0]?.id, again);
    expect(runIds(again.events)).toEqual(['2', '3', '4']);
    const stranger = listener();
    feeds.listen('w', 'unknown.7', stranger);
    expect(runIds(stranger.events)).toEqual(['4']);
  });

  it('stops at the end of the workflow, and still tells it to who comes later', async () => {
    const { feeds, source } = watch(state(1, 'completed'));
    const first = listener();
    feeds.listen('w', undefined, first);
    await until(() => first.events.length === 1);
    const { reads } = source;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(source.reads).toBe(reads);
    const late = listener();
    feeds.listen('w', first.events[0]?.id, late);
    expect(late.events).toEqual(first.events);
    expect(late.events[0]?.last).toBe(true);
  });

  it('looks again for somebody new after the end: the id may have been used once more', async () => {
    const { feeds, source } = watch(state(1, 'completed'));
    const first = listener();
    feeds.listen('w', undefined, first);
    await until(() => first.events.length === 1);
    source.now = state(2);
    const next = listener();
    feeds.listen('w', undefined, next);
    await until(() => next.events.length === 1);
    expect(next.events[0]).toMatchObject({ data: { runId: '2' }, last: false });
    source.now = state(3, 'completed');
    await until(() => next.events.length === 2);
    expect(runIds(first.events)).toEqual(['1']);
  });

  it('does not read while nobody listens, and forgets after a while', async () => {
    const { feeds, source } = watch(state(1), { linger: 20 });
    const first = listener();
    const stop = feeds.listen('w', undefined, first);
    await until(() => first.events.length === 1);
    stop();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { reads } = source;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(source.reads).toBe(reads);
    const again = listener();
    feeds.listen('w', first.events[0]?.id, again);
    await until(() => again.events.length === 1);
    expect(again.events[0]?.id).not.toBe(first.events[0]?.id);
  });

  it('outlives a server that is away for a moment, and gives up on a workflow that is gone', async () => {
    const { feeds, source } = watch(state(1));
    const first = listener();
    feeds.listen('w', undefined, first);
    await until(() => first.events.length === 1);
    source.error = new ApiError('UNAVAILABLE', 'away');
    const { reads } = source;
    await until(() => source.reads > reads + 2);
    source.error = undefined;
    source.now = state(2);
    await until(() => first.events.length === 2);
    expect(first.errors).toEqual([]);
    source.error = new ApiError('WORKFLOW_UNKNOWN', 'gone');
    await until(() => first.errors.length === 1);
  });

  it('has room for so many workflows', async () => {
    const { feeds } = watch(state(1), { maxFeeds: 2 });
    for (const id of ['a', 'b']) feeds.listen(id, undefined, listener());
    expect([feeds.hasRoomFor('a'), feeds.hasRoomFor('c')]).toEqual([true, false]);
  });
});

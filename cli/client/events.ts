import { setTimeout as sleep } from 'node:timers/promises';
import { createEventSource } from 'eventsource-client';
import type { EventSourceMessage, FetchLike } from 'eventsource-client';
import { WorkflowDetail, WorkflowEvent } from '../../contracts/api.ts';
import { CliError } from '../errors.ts';
import { problemError, unreachable } from './http.ts';

export type StreamItem =
  | { readonly kind: 'progress'; readonly event: WorkflowEvent }
  | { readonly kind: 'end'; readonly detail: WorkflowDetail }
  /** The connection broke; the next attempt starts after `delayMs`. */
  | { readonly kind: 'lost'; readonly attempt: number; readonly delayMs: number; readonly reason: string }
  | { readonly kind: 'restored' };

export interface EventsOptions {
  readonly url: URL;
  /** Asked at every connection, so that a long run outlives its first token. */
  readonly token: () => Promise<string>;
  readonly signal?: AbortSignal;
  /** Longest time without a byte from the server, comments included. */
  readonly silenceMs?: number;
  readonly backoff?: Backoff;
}

export interface Backoff {
  readonly initialMs: number;
  readonly maxMs: number;
  /** Attempts in a row without one event. */
  readonly maxAttempts: number;
}

/** About five minutes until the last attempt. */
const BACKOFF: Backoff = { initialMs: 500, maxMs: 10_000, maxAttempts: 33 };
const SILENCE_MS = 60_000;

/** Doubles with every attempt up to the maximum; the upper half is random, so that clients do not return in step. */
export function backoffDelay(attempt: number, backoff: Backoff, random: () => number = Math.random): number {
  const ceiling = Math.min(backoff.maxMs, backoff.initialMs * 2 ** (attempt - 1));
  return Math.round(ceiling * (0.5 + random() / 2));
}

/**
 * Events of a workflow until its `end`, over as many connections as it takes (each resumes after `Last-Event-ID`).
 * Ends silently when `signal` aborts.
 * @throws CliError for an answer that no retry mends (401, 403, 404), and `unreachable` after the last attempt.
 */
export async function* followEvents(options: EventsOptions): AsyncGenerator<StreamItem> {
  const backoff = options.backoff ?? BACKOFF;
  const connection = { lastEventId: undefined as string | undefined, reason: '' };
  for (let attempt = 1; !aborted(options); attempt += 1) {
    for await (const message of messages(options, connection)) {
      if (attempt > 1) yield { kind: 'restored' };
      attempt = 1;
      connection.lastEventId = message.id ?? connection.lastEventId;
      const item = toItem(message);
      if (item !== undefined) yield item;
      if (item?.kind === 'end') return;
    }
    if (aborted(options)) return;
    if (attempt > backoff.maxAttempts) throw unreachable(options.url);
    const delayMs = backoffDelay(attempt, backoff);
    yield { kind: 'lost', attempt, delayMs, reason: connection.reason };
    await sleep(delayMs, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

function aborted({ signal }: EventsOptions): boolean {
  return signal?.aborted === true;
}

/** Messages of one connection. The library's own reconnection is replaced: it knows neither back-off nor statuses. */
async function* messages(
  options: EventsOptions,
  connection: { readonly lastEventId: string | undefined; reason: string },
): AsyncGenerator<EventSourceMessage> {
  connection.reason = 'the connection was closed';
  let fatal: CliError | undefined;
  const fetchStream: FetchLike = async (url, init) => {
    try {
      const authorization = `Bearer ${await options.token()}`;
      const response = await fetch(url, { ...init, headers: { ...init?.headers, authorization } });
      if (response.ok) return response;
      const error = await problemError(response);
      if (response.status < 500 && response.status !== 429) fatal = error;
      throw error;
    } catch (error) {
      connection.reason = error instanceof CliError ? error.message : 'the server does not answer';
      throw error;
    }
  };
  const source = createEventSource({
    url: options.url,
    fetch: fetchStream,
    initialLastEventId: connection.lastEventId,
    onScheduleReconnect: () => {
      source.close();
    },
    onConnect: () => silence.refresh(),
    onComment: () => silence.refresh(),
  });
  const close = (): void => {
    source.close();
  };
  const silence = setTimeout(() => {
    connection.reason = 'the server fell silent';
    close();
  }, options.silenceMs ?? SILENCE_MS);
  options.signal?.addEventListener('abort', close, { once: true });
  try {
    for await (const message of source) {
      silence.refresh();
      yield message;
    }
  } finally {
    clearTimeout(silence);
    options.signal?.removeEventListener('abort', close);
    close();
  }
  if (fatal !== undefined) throw fatal;
}

function toItem(message: EventSourceMessage): StreamItem | undefined {
  if (message.event === 'progress') return { kind: 'progress', event: WorkflowEvent.parse(JSON.parse(message.data)) };
  if (message.event === 'end') return { kind: 'end', detail: WorkflowDetail.parse(JSON.parse(message.data)) };
  return undefined;
}

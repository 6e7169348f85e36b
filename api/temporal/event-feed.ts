import { createHash, randomBytes } from 'node:crypto';
import type { WorkflowEvent } from '../../contracts/api.ts';
import { ApiError } from '../errors.ts';

/** One event of a workflow's feed; ids grow within one feed. */
export interface FeedEvent {
  readonly id: string;
  readonly data: WorkflowEvent;
  /** True for the last one: the execution has ended. */
  readonly last: boolean;
}

export interface FeedListener {
  onEvent(event: FeedEvent): void;
  onError(error: unknown): void;
}

export interface EventFeedsOptions {
  readonly read: (workflowId: string) => Promise<WorkflowEvent>;
  /** Workflows watched at the same time, for `hasRoomFor`. */
  readonly maxFeeds?: number;
  /** Milliseconds between two reads of one workflow: while it changes, and at most when nothing changes. */
  readonly interval?: { readonly min: number; readonly max: number };
  /** How long a feed remembers its events after its last listener left, in milliseconds. */
  readonly linger?: number;
}

const DEFAULTS = { maxFeeds: 200, interval: { min: 1_000, max: 5_000 }, linger: 60_000 };
const MAX_REMEMBERED = 128;
const MAX_FAILURES = 10;
const BACK_OFF = 1.5;

/** One poller for each watched workflow, shared by everybody who watches it. */
export class EventFeeds {
  readonly #feeds = new Map<string, Feed>();
  readonly #options: Required<EventFeedsOptions>;

  constructor(options: EventFeedsOptions) {
    this.#options = { ...DEFAULTS, ...options };
  }

  /**
   * Calls `listener` with every event after `lastEventId`, or with the newest one when that id is not remembered, and
   * then with each change.
   * @returns the function that ends it
   */
  listen(workflowId: string, lastEventId: string | undefined, listener: FeedListener): () => void {
    const known = this.#feeds.get(workflowId);
    const feed = known && !known.isOverFor(lastEventId) ? known : this.#open(workflowId);
    return feed.add(listener, lastEventId);
  }

  #open(workflowId: string): Feed {
    const feed = new Feed(workflowId, this.#options, () => {
      if (this.#feeds.get(workflowId) === feed) this.#feeds.delete(workflowId);
    });
    this.#feeds.set(workflowId, feed);
    return feed;
  }

  /** Whether one more workflow may be watched; one that is watched already always may. */
  hasRoomFor(workflowId: string): boolean {
    return this.#feeds.has(workflowId) || this.#feeds.size < this.#options.maxFeeds;
  }

  /** Tells every listener that it is over, because this process stops. */
  close(): void {
    const stopping = new ApiError('UNAVAILABLE', 'The API stops; connect again.');
    for (const feed of this.#feeds.values()) feed.fail(stopping);
  }
}

class Feed {
  readonly #name = randomBytes(6).toString('base64url');
  readonly #listeners = new Set<FeedListener>();
  readonly #remembered: FeedEvent[] = [];
  readonly #workflowId: string;
  readonly #options: Required<EventFeedsOptions>;
  readonly #forget: () => void;
  #sequence = 0;
  #digest = '';
  #failures = 0;
  #delay: number;
  #timer: NodeJS.Timeout | undefined;
  #lingering: NodeJS.Timeout | undefined;
  #reading = false;

  constructor(workflowId: string, options: Required<EventFeedsOptions>, forget: () => void) {
    this.#workflowId = workflowId;
    this.#options = options;
    this.#forget = forget;
    this.#delay = options.interval.min;
  }

  add(listener: FeedListener, lastEventId: string | undefined): () => void {
    clearTimeout(this.#lingering);
    this.#listeners.add(listener);
    for (const event of this.#missed(lastEventId)) listener.onEvent(event);
    if (this.#timer === undefined && !this.#reading && !this.#isOver) void this.#poll();
    return () => {
      this.#remove(listener);
    };
  }

  /**
   * Whether the execution has ended and the listener did not see its events: such a listener may be after a new
   * execution under the same id.
   */
  isOverFor(lastEventId: string | undefined): boolean {
    return this.#isOver && !this.#remembered.some(({ id }) => id === lastEventId);
  }

  get #isOver(): boolean {
    return this.#remembered.at(-1)?.last === true;
  }

  fail(error: unknown): void {
    for (const listener of this.#listeners) listener.onError(error);
    this.#stop();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#lingering);
    this.#timer = undefined;
    this.#listeners.clear();
    this.#forget();
  }

  #remove(listener: FeedListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    clearTimeout(this.#timer);
    clearTimeout(this.#lingering);
    this.#timer = undefined;
    this.#lingering = setTimeout(() => {
      this.#stop();
    }, this.#options.linger).unref();
  }

  #missed(lastEventId: string | undefined): readonly FeedEvent[] {
    const at = this.#remembered.findIndex(({ id }) => id === lastEventId);
    // Every event is a whole state, so the newest one is enough for somebody new. The last one is told again: what
    // follows from it may not have arrived.
    const onlyNewest = at < 0 || (this.#isOver && at === this.#remembered.length - 1);
    return onlyNewest ? this.#remembered.slice(-1) : this.#remembered.slice(at + 1);
  }

  async #poll(): Promise<void> {
    this.#timer = undefined;
    this.#reading = true;
    try {
      const data = await this.#options.read(this.#workflowId);
      this.#failures = 0;
      if (this.#publish(data)) return;
    } catch (error) {
      this.#failures += 1;
      if (this.#failures >= MAX_FAILURES || !isTransient(error)) {
        this.fail(error);
        return;
      }
    } finally {
      this.#reading = false;
    }
    if (this.#listeners.size > 0) this.#timer = setTimeout(() => void this.#poll(), this.#delay);
  }

  /** @returns true when this was the last event */
  #publish(data: WorkflowEvent): boolean {
    const digest = createHash('sha256').update(JSON.stringify(data)).digest('base64');
    const { min, max } = this.#options.interval;
    if (digest === this.#digest) {
      this.#delay = Math.min(max, this.#delay * BACK_OFF);
      return false;
    }
    this.#digest = digest;
    this.#delay = min;
    this.#sequence += 1;
    const last = data.status !== 'running' && data.status !== 'paused';
    const event = { id: `${this.#name}.${String(this.#sequence)}`, data, last };
    this.#remembered.push(event);
    if (this.#remembered.length > MAX_REMEMBERED) this.#remembered.shift();
    for (const listener of this.#listeners) listener.onEvent(event);
    return last;
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof Error && 'spec' in error && (error.spec as { retryable?: boolean }).retryable === true;
}

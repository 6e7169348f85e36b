import type { Response } from 'express';

export interface StreamEvent {
  readonly event: string;
  readonly id?: string;
  readonly data: unknown;
}

export interface EventStreamOptions {
  /** Milliseconds between two comments that keep the connection alive. */
  readonly heartbeat?: number;
  /** A client that takes nothing for so many milliseconds is disconnected. */
  readonly stall?: number;
  /** What a client waits before it connects again, in milliseconds. */
  readonly retry?: number;
}

const DEFAULTS: Required<EventStreamOptions> = { heartbeat: 15_000, stall: 30_000, retry: 2_000 };

/**
 * Server-sent events (WHATWG HTML, section 9.2) to one client. A slow client costs one event of memory: what comes
 * while its buffer is full replaces what waits, because every event is a whole state.
 */
export class EventStream {
  readonly #response: Response;
  readonly #options: Required<EventStreamOptions>;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #closed: Promise<void>;
  #waiting: StreamEvent | undefined;
  #stalled: NodeJS.Timeout | undefined;
  #full = false;

  constructor(response: Response, options: EventStreamOptions = {}) {
    this.#response = response;
    this.#options = { ...DEFAULTS, ...options };
    response.status(200).set({
      'Content-Type': 'text/event-stream; charset=utf-8',
      // Reverse proxies of the nginx family would hold events back.
      'X-Accel-Buffering': 'no',
    });
    response.flushHeaders();
    this.#write(`retry: ${String(this.#options.retry)}\n\n`);
    this.#heartbeat = setInterval(() => {
      if (!this.#full) this.#write(': alive\n\n');
    }, this.#options.heartbeat).unref();
    this.#closed = new Promise((resolve) => {
      response.once('close', () => {
        clearInterval(this.#heartbeat);
        clearTimeout(this.#stalled);
        resolve();
      });
    });
    response.on('drain', () => {
      this.#drained();
    });
  }

  /** Settles when the connection is over, whoever ended it. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  send(event: StreamEvent): void {
    if (this.#full) this.#waiting = event;
    else this.#write(format(event));
  }

  /** Sends what waits, and ends; a client that does not take it is disconnected all the same. */
  end(event?: StreamEvent): void {
    if (this.#waiting) this.#write(format(this.#waiting));
    this.#waiting = undefined;
    if (event) this.#write(format(event));
    this.#response.end();
  }

  #write(text: string): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    this.#full = !this.#response.write(text);
    if (!this.#full || this.#stalled) return;
    this.#stalled = setTimeout(() => {
      this.#response.destroy();
    }, this.#options.stall).unref();
  }

  #drained(): void {
    this.#full = false;
    clearTimeout(this.#stalled);
    this.#stalled = undefined;
    const event = this.#waiting;
    this.#waiting = undefined;
    if (event) this.send(event);
  }
}

/** `JSON.stringify` leaves no line break, so one `data:` line is enough. */
function format({ event, id, data }: StreamEvent): string {
  const idLine = id === undefined ? '' : `id: ${id}\n`;
  return `${idLine}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

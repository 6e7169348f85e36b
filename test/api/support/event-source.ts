export interface ServerEvent {
  readonly event: string;
  readonly id?: string;
  readonly data: unknown;
}

export interface EventReader {
  readonly status: number;
  readonly contentType: string | null;
  /** The next event; undefined at the end of the stream. */
  next(): Promise<ServerEvent | undefined>;
  /** Events until `reached`, or until the end. */
  until(reached: (event: ServerEvent) => boolean): Promise<ServerEvent[]>;
  close(): Promise<void>;
}

/** Reads server-sent events as a client would, comments and `retry` lines aside. */
export async function openEvents(url: string, headers: Record<string, string>): Promise<EventReader> {
  const abort = new AbortController();
  const answer = await fetch(url, { headers, signal: abort.signal });
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = '';

  async function next(): Promise<ServerEvent | undefined> {
    for (;;) {
      const end = buffer.indexOf('\n\n');
      if (end >= 0) {
        const event = parse(buffer.slice(0, end));
        buffer = buffer.slice(end + 2);
        if (event) return event;
        continue;
      }
      const chunk = await reader?.read();
      if (!chunk || chunk.done) return undefined;
      buffer += chunk.value;
    }
  }

  return {
    status: answer.status,
    contentType: answer.headers.get('content-type'),
    next,
    until: async (reached) => {
      const events: ServerEvent[] = [];
      for (let event = await next(); event; event = await next()) {
        events.push(event);
        if (reached(event)) break;
      }
      return events;
    },
    close: async () => {
      abort.abort();
      await reader?.closed.catch(() => undefined);
    },
  };
}

function parse(block: string): ServerEvent | undefined {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const [, name, value] = /^([a-z]+): (.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) fields.set(name, value);
  }
  const data = fields.get('data');
  if (data === undefined) return undefined;
  return { event: fields.get('event') ?? 'message', id: fields.get('id'), data: JSON.parse(data) as unknown };
}

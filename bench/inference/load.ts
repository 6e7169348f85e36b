import { connect, type Socket } from 'node:net';
import type { LoadOrder, LoadResult } from './orders.ts';
import { tokenMaker } from './tokens.ts';

/**
 * A load generator in a process of its own: connections that stay open, one request at a time on each, written as bytes
 * that were made beforehand, so that it needs far less of the machine than any server it drives.
 */
process.once('message', (order: LoadOrder) => {
  drive(order).then(
    (result) => process.send?.(result, () => process.exit(0)),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

const HEAD_END = Buffer.from('\r\n\r\n');

async function drive(order: LoadOrder): Promise<LoadResult> {
  const next = requestsOf(order);
  const warmUp = await run(order, next, { seconds: order.warmUpSeconds, requests: Number.POSITIVE_INFINITY });
  const result = await run(order, next, {
    seconds: order.seconds,
    requests: order.requests ?? Number.POSITIVE_INFINITY,
  });
  return { ...result, total: warmUp.count + result.count };
}

/** Gives the next request as bytes; nothing once every token was used. Tokens are made before the clock runs. */
function requestsOf({ host, port, path, body, contentType, headers, token }: LoadOrder): () => Buffer | undefined {
  const content = Buffer.from(body, 'base64');
  const extra = Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`);
  const request = (bearer: string): Buffer => {
    const head =
      `POST ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nAuthorization: Bearer ${bearer}\r\n` +
      `Content-Type: ${contentType}\r\n${extra.join('')}Content-Length: ${content.length}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head), content]);
  };
  const make = tokenMaker(token.key, token.claims);
  if (token.fresh === undefined) {
    const same = request(make());
    return () => same;
  }
  const fresh = Array.from({ length: token.fresh }, make);
  return () => {
    const unused = fresh.pop();
    return unused === undefined ? undefined : request(unused);
  };
}

interface Limit {
  readonly seconds: number;
  readonly requests: number;
}

async function run(
  order: LoadOrder,
  next: () => Buffer | undefined,
  { seconds, requests }: Limit,
): Promise<Omit<LoadResult, 'total'>> {
  const latencies: number[] = [];
  const statuses: Record<string, number> = {};
  const startedAt = performance.now();
  const end = startedAt + seconds * 1000;
  let begun = 0;
  const more = (): boolean => performance.now() < end && begun < requests;
  await Promise.all(
    Array.from({ length: order.connections }, async () => {
      const client = await Client.open(order);
      while (more()) {
        const request = next();
        if (request === undefined) break;
        begun += 1;
        const sentAt = performance.now();
        const status = await client.ask(request);
        latencies.push(performance.now() - sentAt);
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
      client.close();
    }),
  );
  const took = (performance.now() - startedAt) / 1000;
  const sorted = Float64Array.from(latencies).sort();
  const quantile = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { perSecond: sorted.length / took, p50: quantile(0.5), p99: quantile(0.99), count: sorted.length, statuses };
}

/** One connection. An answer ends where its `Content-Length` says. */
class Client {
  readonly #socket: Socket;
  #buffered: Buffer = Buffer.alloc(0);
  #answered: ((status: string) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('close', () => this.#failed?.(new Error('the server closed a connection')));
    socket.on('error', (error) => this.#failed?.(error));
  }

  static open({ host, port }: LoadOrder): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true }, () => resolve(new Client(socket)));
      socket.once('error', reject);
    });
  }

  ask(request: Buffer): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#failed = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk]);
    const headEnd = this.#buffered.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#buffered.toString('latin1', 0, headEnd);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1]);
    if (this.#buffered.length < headEnd + HEAD_END.length + length) return;
    this.#buffered = Buffer.alloc(0);
    this.#answered?.(head.slice(9, 12));
  }
}

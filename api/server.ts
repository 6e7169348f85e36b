import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { Express } from 'express';

/**
 * When the process is asked to stop it goes on answering for a moment, each answer with `Connection: close` and
 * `/health/ready` with 503: closing a connection that waits for its next request would cut that request off.
 */
const NOTICE_MS = 1_000;
/** Then requests in flight get this long. */
const DRAIN_MS = 10_000;

/** The HTTP server of an application, with limits on slow clients and an orderly end. */
export class HttpServer {
  readonly #server: Server;
  #draining = false;

  /** @param first answers what it will, and says so; everything else is the application's */
  constructor(app: Express, first?: { handle(request: IncomingMessage, response: ServerResponse): boolean }) {
    this.#server = createServer(
      {
        // A client gets so long for its headers and for its whole request, which may be a file.
        headersTimeout: 10_000,
        requestTimeout: 600_000,
        keepAliveTimeout: 65_000,
        maxHeaderSize: 16 * 1024,
      },
      (request, response) => {
        // Told so, a client sends its next request elsewhere and not into a connection that is about to close.
        if (this.#draining) response.setHeader('Connection', 'close');
        if (first?.handle(request, response) !== true) app(request, response);
      },
    );
  }

  /** @returns the port; rejects when the address is taken */
  async listen(host: string, port: number): Promise<number> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : port;
  }

  /** Sends clients elsewhere, lets requests in flight finish, then cuts what is left. */
  async drain({ notice = NOTICE_MS, limit = DRAIN_MS } = {}): Promise<void> {
    this.#draining = true;
    await setTimeout(notice);
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeIdleConnections();
    const cut = globalThis.setTimeout(() => {
      this.#server.closeAllConnections();
    }, limit);
    await closed;
    clearTimeout(cut);
  }
}

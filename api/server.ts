import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { Express } from 'express';

/** Requests in flight get this long when the process is asked to stop. */
const DRAIN_MS = 15_000;

/** The HTTP server of an application, with limits on slow clients and an orderly end. */
export class HttpServer {
  readonly #server: Server;
  #draining = false;

  constructor(app: Express) {
    this.#server = createServer(
      {
        // A client gets so long for its headers and for its whole request.
        headersTimeout: 10_000,
        requestTimeout: 60_000,
        keepAliveTimeout: 65_000,
        maxHeaderSize: 16 * 1024,
      },
      (request, response) => {
        // Told so, a client sends its next request elsewhere and not into a connection that is about to close.
        if (this.#draining) response.setHeader('Connection', 'close');
        app(request, response);
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

  /** Takes no new connections, lets requests in flight finish, then cuts what is left. */
  async drain(milliseconds = DRAIN_MS): Promise<void> {
    this.#draining = true;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeIdleConnections();
    const cut = setTimeout(() => {
      this.#server.closeAllConnections();
    }, milliseconds);
    await closed;
    clearTimeout(cut);
  }
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { Duplex } from 'node:stream';
import type { Express } from 'express';
import type { Logger } from './http/error-handler.ts';
import { MessageRefusals, faultOf } from './http/message.ts';

/**
 * When the process is asked to stop it goes on answering for a moment, each answer with `Connection: close` and
 * `/health/ready` with 503: closing a connection that waits for its next request would cut that request off.
 */
const NOTICE_MS = 1_000;
/** Then requests in flight get this long. */
const DRAIN_MS = 10_000;

export interface HttpServerOptions {
  readonly logger?: Logger;
  /** True when clients reach the API by https. */
  readonly https?: boolean;
  /** Milliseconds for the headers of a request; default 10 seconds. */
  readonly headersTimeout?: number;
}

const HEADERS_MS = 10_000;
const nothing = (): void => undefined;
const SILENT: Logger = { error: nothing, warn: nothing, info: nothing };

/** The HTTP server of an application, with limits on slow clients and an orderly end. */
export class HttpServer {
  readonly #server: Server;
  #draining = false;

  /** @param first answers what it will, and says so; everything else is the application's */
  constructor(
    app: Express,
    first?: { handle(request: IncomingMessage, response: ServerResponse): boolean },
    { logger = SILENT, https = false, headersTimeout = HEADERS_MS }: HttpServerOptions = {},
  ) {
    const refusals = new MessageRefusals({ logger, https });
    /** The newest answer of each connection. */
    const answers = new WeakMap<Duplex, ServerResponse>();
    this.#server = createServer(
      {
        // A client gets so long for its headers and for its whole request, which may be a file.
        headersTimeout,
        connectionsCheckingInterval: Math.min(headersTimeout, 5_000),
        requestTimeout: 600_000,
        keepAliveTimeout: 65_000,
        maxHeaderSize: 16 * 1024,
        // Asked for below, where the refusal says why.
        requireHostHeader: false,
      },
      (request, response) => {
        answers.set(request.socket, response);
        // Told so, a client sends its next request elsewhere and not into a connection that is about to close.
        if (this.#draining) response.setHeader('Connection', 'close');
        const fault = faultOf(request);
        if (fault) refusals.request(fault, request, response);
        else if (first?.handle(request, response) !== true) app(request, response);
      },
    );
    this.#server.on('clientError', (error, socket) => {
      const answer = answers.get(socket);
      // An answer that is out ends nothing while its request still arrives.
      const over = answer?.writableFinished === true && answer.req.complete;
      refusals.connection(error, socket, answer?.headersSent === true && !over);
    });
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

import {
  Client,
  Connection,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
  type ClientInterceptors,
} from '@temporalio/client';
import type { PayloadCodec } from '../../lib/codec/index.ts';
import { translate, type Subject } from './failures.ts';

export interface TemporalGatewayOptions {
  /** host:port of the frontend. */
  readonly address: string;
  readonly namespace: string;
  readonly codec: PayloadCodec;
  readonly interceptors?: ClientInterceptors;
  /** Base URL of the Temporal UI, for links. */
  readonly uiUrl?: string;
}

/** Calls that the server answers by itself are given this long. */
const DEADLINE_MS = 10_000;

/** A caller waits for these attempts; a server that is away longer than a second is reported to them. */
const MAX_ATTEMPTS = 4;

/**
 * The way to Temporal. It connects with the first call and reconnects by itself: predictions are served while Temporal
 * is away.
 */
export class TemporalGateway {
  readonly client: Client;
  readonly codec: PayloadCodec;
  readonly namespace: string;
  readonly uiUrl: string | undefined;
  readonly #connection: Connection;
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: TemporalGatewayOptions) {
    this.codec = options.codec;
    this.namespace = options.namespace;
    this.uiUrl = options.uiUrl;
    this.#connection = Connection.lazy({
      address: options.address,
      interceptors: [makeGrpcRetryInterceptor(defaultGrpcRetryOptions({ maxAttempts: MAX_ATTEMPTS }))],
    });
    this.client = new Client({
      connection: this.#connection,
      namespace: options.namespace,
      identity: `saip-api@${process.pid}`,
      dataConverter: { payloadCodecs: [options.codec] },
      interceptors: options.interceptors,
    });
  }

  /**
   * Runs calls of `client` under a deadline.
   * @param subject what the caller named, for messages
   * @throws {ApiError} `WORKFLOW_UNKNOWN`, `SCHEDULE_UNKNOWN`, `SCHEDULE_EXISTS`, `UNAVAILABLE`; what a workflow failed
   *   with keeps its code
   */
  async call<T>(subject: Subject | undefined, calls: () => Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
    const running = this.#connection.withDeadline(Date.now() + deadlineMs, calls);
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      throw translate(error, subject);
    } finally {
      this.#running.delete(running);
    }
  }

  /** Waits for the calls that run, because one that is repeated over a closed connection would end the process. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#running);
    await this.#connection.close();
  }
}

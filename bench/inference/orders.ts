/** What the parts of the benchmark, each a process of its own, tell each other. */

import type { JsonWebKey } from 'node:crypto';

export const ISSUER = 'http://127.0.0.1/bench';
export const AUDIENCE = 'saip-api';
export const MODEL = 'mnist';

/** To the load generator. */
export interface LoadOrder {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Base64. */
  readonly body: string;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly token: {
    /** Private JWK, P-256. */
    readonly key: JsonWebKey;
    readonly claims: Readonly<Record<string, unknown>>;
    /** Tokens to make, each for one request; default: one for all. */
    readonly fresh?: number;
  };
  readonly connections: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** Ends earlier, after so many. */
  readonly requests?: number;
}

/** From the load generator. Times are milliseconds. */
export interface LoadResult {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly count: number;
  /** With those of the warm-up. */
  readonly total: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
}

/** To a server of the benchmark, as its first argument (JSON). */
export interface ServerOrder {
  /** ONNX file. */
  readonly model: string;
  /** Public JWK that tokens verify with. */
  readonly key: JsonWebKey;
  /** Folder for audit records; absent: none are kept. */
  audit?: string;
  readonly batching?: 'auto' | 'on' | 'off';
  /** Only in Python's server: whether its handler is a coroutine. */
  readonly asynchronous?: boolean;
}

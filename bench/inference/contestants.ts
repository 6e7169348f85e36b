import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadResult, ServerOrder } from './orders.ts';
import { MODEL } from './orders.ts';
import type { BenchModel } from './models.ts';
import { bareServer, emptyServer, fastApiServer, load, platformServer, type BenchServer } from './servers.ts';
import type { BenchKey } from './tokens.ts';

export interface Setting {
  readonly model: BenchModel;
  readonly key: BenchKey;
  /** Folder for audit records; without it the peer keeps none. */
  readonly audit: string | undefined;
  /** Interpreter of the peer's environment. */
  readonly python: string;
}

export type Kind = 'platform' | 'bare' | 'empty' | 'FastAPI, coroutine' | 'FastAPI, threads';

export interface RunOptions {
  readonly connections?: number;
  readonly seconds?: number;
  /** Each request brings a token of its own. */
  readonly fresh?: boolean;
  readonly requests?: number;
}

export interface Measured extends LoadResult {
  /** Of one call of the runtime, in milliseconds, where the server says so. */
  readonly runMs: number;
  readonly batches: boolean;
  /** Processor time of the server for a request, in microseconds: hardly disturbed by what else the machine does. */
  readonly cpuUs: number;
}

export interface Contestant {
  readonly kind: Kind;
  /** A new server, warmed up, under load for some seconds. */
  run(options?: RunOptions): Promise<Measured>;
}

const CONNECTIONS = 64;
const SECONDS = 4;
/** Until code that runs for every request is compiled. */
const WARM_UP_SECONDS = 3;
/** More than any of them can answer in the time. */
const FRESH_TOKENS = 40_000;

export function contestant(kind: Kind, setting: Setting, batching?: ServerOrder['batching']): Contestant {
  return {
    kind,
    run: async (options = {}) => {
      const server = await startServer(kind, setting, batching);
      try {
        const before = server.cpuSeconds();
        const result = await loadOn(server, setting, options);
        const cpuUs = (1e6 * (server.cpuSeconds() - before)) / result.total;
        return { ...result, cpuUs, runMs: server.runMs ?? 0, batches: server.batches ?? false };
      } finally {
        await server.stop();
      }
    },
  };
}

export async function startServer(
  kind: Kind,
  { model, key, audit, python }: Setting,
  batching?: ServerOrder['batching'],
): Promise<BenchServer> {
  const order: ServerOrder = { model: model.file, key: key.publicKey, ...(batching && { batching }) };
  if (audit !== undefined) {
    // One for each kind: in a spool's folder there is nothing else.
    order.audit = join(audit, kind.replaceAll(/\W+/g, '-'));
    await mkdir(order.audit, { recursive: true });
  }
  if (kind === 'platform') return platformServer(order);
  if (kind === 'bare') return bareServer(order);
  if (kind === 'empty') return emptyServer(order);
  return fastApiServer(python, { ...order, asynchronous: kind === 'FastAPI, coroutine' });
}

export function loadOn(
  { port }: BenchServer,
  { model, key }: Setting,
  { connections = CONNECTIONS, seconds = SECONDS, fresh = false, requests }: RunOptions = {},
): Promise<LoadResult> {
  return load({
    host: '127.0.0.1',
    port,
    path: `/v2/models/${MODEL}/infer`,
    body: model.body.toString('base64'),
    contentType: model.contentType,
    headers: model.headers,
    token: {
      key: key.privateKey,
      claims: { kid: key.kid, sub: 'bench', roles: ['predictor'], tenant: 'default' },
      ...(fresh && { fresh: FRESH_TOKENS }),
    },
    connections,
    warmUpSeconds: WARM_UP_SECONDS,
    seconds,
    ...(requests !== undefined && { requests }),
  });
}

import { Client, Connection, type ClientInterceptors } from '@temporalio/client';
import type { PayloadCodec } from '../../lib/codec/index.ts';

export interface TemporalGatewayOptions {
  /** host:port of the frontend. */
  readonly address: string;
  readonly namespace: string;
  readonly codec: PayloadCodec;
  readonly interceptors?: ClientInterceptors;
  /** Base URL of the Temporal UI, for links. */
  readonly uiUrl?: string;
}

/** What the API needs to talk to Temporal. */
export interface TemporalGateway {
  readonly client: Client;
  readonly connection: Connection;
  readonly codec: PayloadCodec;
  readonly namespace: string;
  readonly uiUrl: string | undefined;
}

/** Connects with the first call and reconnects by itself: predictions are served while Temporal is away. */
export function openTemporal(options: TemporalGatewayOptions): TemporalGateway {
  const connection = Connection.lazy({ address: options.address });
  const client = new Client({
    connection,
    namespace: options.namespace,
    identity: `saip-api@${process.pid}`,
    dataConverter: { payloadCodecs: [options.codec] },
    interceptors: options.interceptors,
  });
  return {
    client,
    connection,
    codec: options.codec,
    namespace: options.namespace,
    uiUrl: options.uiUrl,
  };
}

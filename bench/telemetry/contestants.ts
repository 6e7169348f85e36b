import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { contestant, type Contestant, type Setting } from '../inference/contestants.ts';

export type Sampling = 'off' | 'nothing sampled' | 'everything sampled';

const START = new URL('./start.ts', import.meta.url).href;

/** A collector that takes whatever it is sent. */
export interface Sink {
  readonly url: string;
  /** Bytes of spans that came. */
  readonly bytes: () => number;
  close(): void;
}

export async function openSink(): Promise<Sink> {
  let bytes = 0;
  const server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => (bytes += chunk.length));
    request.on('end', () => response.end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bytes: () => bytes,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The platform's data plane with the SDK of OpenTelemetry, or without it. */
export function traced(sampling: Sampling, setting: Setting, { url }: Sink): Contestant {
  const plain = contestant('platform', setting);
  if (sampling === 'off') return plain;
  const variables = {
    NODE_OPTIONS: `--import=${START}`,
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_TRACES_SAMPLER: sampling === 'nothing sampled' ? 'always_off' : 'always_on',
  };
  return {
    ...plain,
    // A server gets the variables of this process.
    run: async (options) => {
      const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
      Object.assign(process.env, variables);
      try {
        return await plain.run(options);
      } finally {
        for (const [name, value] of before) {
          if (value === undefined) Reflect.deleteProperty(process.env, name);
          else process.env[name] = value;
        }
      }
    },
  };
}

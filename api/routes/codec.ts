import { CodecPayloads } from '../../contracts/api.ts';
import type { Payload, PayloadCodec } from '../../lib/codec/index.ts';
import { route, type Route } from '../http/route.ts';

const BODY_LIMIT = 16 * 1024 * 1024;

type JsonPayload = CodecPayloads['payloads'][number];

/**
 * The remote codec that the Temporal UI calls with `POST <endpoint>/decode`. There is no `encode`: nobody writes
 * payloads through a browser.
 */
export function codecRoutes({ codec }: { codec: Pick<PayloadCodec, 'decode'> }): Route[] {
  return [
    route({
      method: 'post',
      path: '/v1/codec/decode',
      operationId: 'decodePayloads',
      tag: 'Codec',
      summary: 'Decrypt payloads for the Temporal UI',
      description: 'Takes a session cookie from the origin of the Temporal UI, or a bearer token.',
      access: 'codec:decode',
      cookie: true,
      audited: false,
      body: CodecPayloads,
      bodyLimit: BODY_LIMIT,
      success: { status: 200, description: 'The payloads in the same order.', schema: CodecPayloads },
      errors: ['PAYLOAD_UNDECRYPTABLE', 'SECRET_UNAVAILABLE'],
      handler: async ({ body }) => {
        const decoded = await codec.decode(body.payloads.map(fromJson));
        return { payloads: decoded.map(toJson) };
      },
    }),
  ];
}

function fromJson({ metadata, data }: JsonPayload): Payload {
  return {
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value, 'base64')]),
    ),
    data: Buffer.from(data ?? '', 'base64'),
  };
}

function toJson({ metadata, data }: Payload): JsonPayload {
  return {
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    ),
    data: Buffer.from(data ?? new Uint8Array()).toString('base64'),
  };
}

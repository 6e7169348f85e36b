import { defaultPayloadConverter } from '@temporalio/common';
import type { DataConverter, Payload } from '@temporalio/common';
import { isSaipError } from '../../contracts/errors.ts';
import { UNDECRYPTABLE } from '../../contracts/undecryptable.ts';
import type { CompletePayload, PayloadCodec } from '../../lib/codec/index.ts';
import { FAILURE_CONVERTER } from './bundle.ts';

/** Every payload, and the messages of failures, pass the codec; search attributes and headers stay clear. */
export function dataConverter(codec: PayloadCodec): DataConverter {
  return { payloadCodecs: [codec], failureConverterPath: FAILURE_CONVERTER };
}

/**
 * The codec as a worker of workflows needs it: what cannot be decrypted for good reaches the workflow as
 * {@link UNDECRYPTABLE}, which refuses it. While OpenBao is away decoding fails, and Temporal tries again.
 */
export function markUndecryptable(codec: PayloadCodec): PayloadCodec {
  const decode = async (payload: Payload): Promise<CompletePayload[]> => {
    try {
      return await codec.decode([payload]);
    } catch (error) {
      if (!isSaipError(error) || error.code !== 'PAYLOAD_UNDECRYPTABLE') throw error;
      const { metadata, data } = defaultPayloadConverter.toPayload(UNDECRYPTABLE);
      return [{ metadata: metadata ?? {}, data: data ?? new Uint8Array() }];
    }
  };
  return {
    encode: (payloads) => codec.encode(payloads),
    decode: async (payloads) => (await Promise.all(payloads.map(decode))).flat(),
  };
}

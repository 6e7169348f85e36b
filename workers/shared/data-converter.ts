import type { DataConverter } from '@temporalio/common';
import type { PayloadCodec } from '../../lib/codec/index.ts';
import { FAILURE_CONVERTER } from './bundle.ts';

/** Every payload, and the messages of failures, pass the codec; search attributes and headers stay clear. */
export function dataConverter(codec: PayloadCodec): DataConverter {
  return { payloadCodecs: [codec], failureConverterPath: FAILURE_CONVERTER };
}

import protobuf from 'protobufjs';

/** The shape of `temporal.api.common.v1.Payload`, so that this library need not know Temporal. */
export interface Payload {
  readonly metadata?: Readonly<Record<string, Uint8Array>> | null;
  readonly data?: Uint8Array | null;
}

const Message = new protobuf.Type('Payload')
  .add(new protobuf.MapField('metadata', 1, 'string', 'bytes'))
  .add(new protobuf.Field('data', 2, 'bytes'));

/** Protobuf encoding of metadata and data, the plaintext that Temporal's own codec samples encrypt. */
export function serialize(payload: Payload): Uint8Array {
  return Message.encode({
    metadata: payload.metadata ?? {},
    data: payload.data ?? new Uint8Array(),
  }).finish();
}

export interface CompletePayload {
  metadata: Record<string, Uint8Array>;
  data: Uint8Array;
}

export function deserialize(bytes: Uint8Array): CompletePayload {
  const fields: Partial<CompletePayload> = Message.toObject(Message.decode(bytes));
  return { metadata: fields.metadata ?? {}, data: fields.data ?? new Uint8Array() };
}

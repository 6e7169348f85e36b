export { createPayloadCodec, ENCRYPTED_ENCODING, type PayloadCodec, type PayloadCodecOptions } from './codec.ts';
export { CodecError } from './errors.ts';
export { Keyring, transitWrapper, type KeyringOptions, type KeyWrapper } from './keyring.ts';
export type { CompletePayload, Payload } from './payload.ts';

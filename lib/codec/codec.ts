import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { isSaipError } from '../../contracts/errors.ts';
import { CodecError } from './errors.ts';
import type { Keyring } from './keyring.ts';
import { deserialize, serialize, type CompletePayload, type Payload } from './payload.ts';

/** Value of the metadata entry `encoding` of an encrypted payload. */
export const ENCRYPTED_ENCODING = 'binary/encrypted';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface PayloadCodecOptions {
  readonly keyring: Keyring;
  /**
   * What `decode` does with a payload that is not encrypted. `refuse`, the default, makes every input of a workflow
   * or activity the work of someone who holds the key; `pass` is for showing histories (codec endpoint of the UI).
   */
  readonly plaintext?: 'refuse' | 'pass';
}

/** Structurally a `PayloadCodec` of the Temporal SDK. */
export interface PayloadCodec {
  encode(payloads: readonly Payload[]): Promise<CompletePayload[]>;
  decode(payloads: readonly Payload[]): Promise<CompletePayload[]>;
}

/**
 * Envelope encryption of payloads: AES-256-GCM under a data key that travels wrapped in the metadata. The plaintext is
 * the whole payload with its metadata; the clear metadata is bound as additional data. `data` is nonce ‖ ciphertext ‖ tag.
 *
 * `decode` throws `PAYLOAD_UNDECRYPTABLE` for anything but an untouched payload, and passes on the keyring's own error
 * where a later attempt may succeed (OpenBao away).
 */
export function createPayloadCodec(options: PayloadCodecOptions): PayloadCodec {
  const { keyring, plaintext = 'refuse' } = options;
  return {
    encode: (payloads) => Promise.all(payloads.map((payload) => encrypt(payload, keyring))),
    decode: (payloads) => Promise.all(payloads.map((payload) => decrypt(payload, keyring, plaintext))),
  };
}

async function encrypt(payload: Payload, keyring: Keyring): Promise<CompletePayload> {
  const { key, wrapped } = await keyring.encryptionKey();
  const metadata = {
    encoding: Buffer.from(ENCRYPTED_ENCODING),
    'saip-cipher': Buffer.from(CIPHER),
    'saip-wrapped-key': Buffer.from(wrapped),
  };
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, {
    authTagLength: TAG_BYTES,
  });
  cipher.setAAD(additionalData(metadata));
  const data = Buffer.concat([nonce, cipher.update(serialize(payload)), cipher.final(), cipher.getAuthTag()]);
  return { metadata, data };
}

async function decrypt(payload: Payload, keyring: Keyring, plaintext: 'refuse' | 'pass'): Promise<CompletePayload> {
  const metadata = payload.metadata ?? {};
  const data = payload.data ?? new Uint8Array();
  if (text(metadata, 'encoding') !== ENCRYPTED_ENCODING) {
    if (plaintext === 'pass') return { metadata, data };
    throw new CodecError(
      'PAYLOAD_UNDECRYPTABLE',
      'The payload is not encrypted; this process accepts encrypted ones only.',
    );
  }
  const wrapped = text(metadata, 'saip-wrapped-key');
  if (text(metadata, 'saip-cipher') !== CIPHER || wrapped === undefined || data.length < NONCE_BYTES + TAG_BYTES) {
    throw new CodecError('PAYLOAD_UNDECRYPTABLE', 'The encrypted payload is malformed.');
  }
  const key = await keyring.decryptionKey(wrapped).catch((error: unknown) => {
    if (isSaipError(error) && error.spec.retryable) throw error;
    throw new CodecError('PAYLOAD_UNDECRYPTABLE', 'The data key of the payload cannot be unwrapped.', { cause: error });
  });
  try {
    const decipher = createDecipheriv(CIPHER, key, data.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(additionalData(metadata));
    decipher.setAuthTag(data.subarray(-TAG_BYTES));
    const body = data.subarray(NONCE_BYTES, -TAG_BYTES);
    return deserialize(Buffer.concat([decipher.update(body), decipher.final()]));
  } catch (error) {
    throw new CodecError('PAYLOAD_UNDECRYPTABLE', 'The payload was changed after it was encrypted.', { cause: error });
  }
}

/** Every clear metadata entry, sorted and length-prefixed so that no two sets of entries give the same bytes. */
function additionalData(metadata: Readonly<Record<string, Uint8Array>>): Buffer {
  const parts = Object.entries(metadata)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => [Buffer.from(name), value])
    .flatMap((bytes) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    });
  return Buffer.concat(parts);
}

function text(metadata: Readonly<Record<string, Uint8Array>>, name: string): string | undefined {
  const value = metadata[name];
  return value === undefined ? undefined : Buffer.from(value).toString('utf8');
}

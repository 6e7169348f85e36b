import { SaipError } from '../../contracts/errors.ts';

/** A payload is not what this platform encrypted, or its key cannot be unwrapped. */
export class CodecError extends SaipError<'PAYLOAD_UNDECRYPTABLE'> {
  override readonly name = 'CodecError';
}

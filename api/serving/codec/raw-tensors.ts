import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from '../../errors.ts';

/** Bytes of JSON before the raw tensors. */
export const HEADER_LENGTH = 'inference-header-content-length';
const LENGTH_FIELD = `header.${HEADER_LENGTH}`;
const BINARY = /^application\/octet-stream\b/i;

/**
 * Where the JSON ends; undefined for the end of the body, unless the header of the extension says something else.
 * @throws {ApiError} `REQUEST_INVALID`
 */
export function headerLength(body: Buffer, headers: IncomingHttpHeaders): number | undefined {
  const text = headers[HEADER_LENGTH];
  if (text === undefined) {
    const type = headers['content-type'];
    if (type === undefined || type === 'application/json' || !BINARY.test(type)) return undefined;
    const message = 'A body with binary tensors says in Inference-Header-Content-Length how long its JSON is.';
    throw new ApiError('REQUEST_INVALID', message, { field: LENGTH_FIELD });
  }
  const length = typeof text === 'string' && /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (length > 0 && length <= body.length) return length;
  const message = `Inference-Header-Content-Length must be 1 to ${String(body.length)}, the length of the body.`;
  throw new ApiError('REQUEST_INVALID', message, { field: LENGTH_FIELD });
}

/** The bytes after the JSON, handed out to the inputs in their order. */
export class RawTensors {
  readonly #body: Buffer;
  readonly #binary: boolean;
  #at: number;

  constructor(body: Buffer, jsonLength: number | undefined) {
    this.#body = body;
    this.#binary = jsonLength !== undefined;
    this.#at = jsonLength ?? body.length;
  }

  /** @throws {ApiError} `REQUEST_INVALID` where fewer are left */
  take(size: number, index: number): Uint8Array {
    if (!this.#binary) {
      const message = 'binary_data_size needs the header Inference-Header-Content-Length.';
      throw new ApiError('REQUEST_INVALID', message, { field: LENGTH_FIELD });
    }
    const left = this.#body.length - this.#at;
    if (size > left) {
      const message = `binary_data_size is ${String(size)}, but ${String(left)} bytes are left of the body.`;
      const field = `body.inputs[${String(index)}].parameters.binary_data_size`;
      throw new ApiError('REQUEST_INVALID', message, { field });
    }
    const tensor = this.#body.subarray(this.#at, this.#at + size);
    this.#at += size;
    return tensor;
  }

  /** @throws {ApiError} `REQUEST_INVALID` where bytes are left over */
  end(): void {
    const left = this.#body.length - this.#at;
    if (left === 0) return;
    const message = `${String(left)} bytes of the body belong to no input.`;
    throw new ApiError('REQUEST_INVALID', message, { field: 'body' });
  }
}

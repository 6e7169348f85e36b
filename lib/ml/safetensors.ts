import { z } from 'zod';
import { MlError } from './errors.ts';

/** A dense float32 tensor, row-major. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const LENGTH_BYTES = 8;
/** The format's own bound on the header, against files that claim gigabytes of it. */
const MAX_HEADER_BYTES = 100_000_000;
const METADATA = '__metadata__';

const Entry = z.strictObject({
  dtype: z.literal('F32'),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const Metadata = z.record(z.string(), z.string());

/**
 * Lays out float32 tensors as a safetensors file: an 8-byte little-endian header length, the JSON header padded with
 * spaces to 8 bytes, then the raw little-endian data without gaps. Tensors are sorted by name, so that equal content is
 * equal bytes and the file's digest is the weights' digest.
 *
 * @see https://github.com/huggingface/safetensors#format
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const names = [...tensors.keys()].sort();
  const header: Record<string, unknown> = Object.keys(metadata).length === 0 ? {} : { [METADATA]: sorted(metadata) };
  let offset = 0;
  for (const name of names) {
    const { shape, data } = tensors.get(name) as Tensor;
    if (data.length !== size(shape)) throw invalid(name, `holds ${data.length} values for shape [${shape.join(', ')}]`);
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const dataStart = Math.ceil((LENGTH_BYTES + json.length) / 8) * 8;
  const file = new Uint8Array(dataStart + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(dataStart - LENGTH_BYTES), true);
  file.fill(0x20, LENGTH_BYTES, dataStart).set(json, LENGTH_BYTES);
  let position = dataStart;
  for (const name of names) {
    const { data } = tensors.get(name) as Tensor;
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position);
    position += data.byteLength;
  }
  return file;
}

/**
 * Reads a safetensors file of float32 tensors; the tensors are copies.
 *
 * @throws MlError WEIGHTS_INVALID, with the tensor as `field`, for a header that is not JSON of the format, another
 * dtype, or offsets that do not cover the data exactly once in order of their start.
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const header = readHeader(bytes);
  const { [METADATA]: rawMetadata = {}, ...rawEntries } = header.json;
  const metadata = Metadata.safeParse(rawMetadata);
  if (!metadata.success) throw invalid(METADATA, 'is not a map of strings');
  const entries = Object.entries(rawEntries).map(([name, raw]) => {
    const entry = Entry.safeParse(raw);
    if (!entry.success) throw invalid(name, 'is not described as a float32 tensor');
    return { name, shape: entry.data.shape, begin: entry.data.data_offsets[0], end: entry.data.data_offsets[1] };
  });
  const tensors = new Map<string, Tensor>();
  let expected = 0;
  for (const { name, shape, begin, end } of entries.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== expected || end - begin !== size(shape) * Float32Array.BYTES_PER_ELEMENT) {
      throw invalid(name, 'has offsets that do not fit its shape or its neighbour');
    }
    // Not `slice`, which on a Buffer would share the memory.
    const data = new Uint8Array(bytes.subarray(header.dataStart + begin, header.dataStart + end));
    if (data.length !== end - begin) throw invalid(name, 'is cut short');
    tensors.set(name, { shape, data: new Float32Array(data.buffer) });
    expected = end;
  }
  if (header.dataStart + expected !== bytes.length) throw invalid('data', 'holds bytes that no tensor claims');
  return { tensors, metadata: metadata.data };
}

function readHeader(bytes: Uint8Array): { json: Record<string, unknown>; dataStart: number } {
  if (bytes.length < LENGTH_BYTES) throw invalid('header', 'is missing');
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > BigInt(Math.min(MAX_HEADER_BYTES, bytes.length - LENGTH_BYTES))) throw invalid('header', 'is cut short');
  const dataStart = LENGTH_BYTES + Number(length);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(LENGTH_BYTES, dataStart));
    return { json: z.record(z.string(), z.unknown()).parse(JSON.parse(text)), dataStart };
  } catch (cause) {
    throw new MlError('WEIGHTS_INVALID', 'safetensors: the header is not a JSON object', { cause, field: 'header' });
  }
}

function size(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

function sorted(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function invalid(field: string, problem: string): MlError {
  return new MlError('WEIGHTS_INVALID', `safetensors: ${field} ${problem}`, { field });
}

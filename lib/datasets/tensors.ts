import { readFile } from 'node:fs/promises';

/** Reads little-endian 32-bit integers. */
export async function readInt32(file: string): Promise<Int32Array<ArrayBuffer>> {
  const { buffer, byteLength } = await readAligned(file);
  return new Int32Array(buffer, 0, byteLength / Int32Array.BYTES_PER_ELEMENT);
}

/** Reads little-endian 32-bit floats. */
export async function readFloat32(file: string): Promise<Float32Array<ArrayBuffer>> {
  const { buffer, byteLength } = await readAligned(file);
  return new Float32Array(buffer, 0, byteLength / Float32Array.BYTES_PER_ELEMENT);
}

/** Reads raw samples of the given type. */
export async function readSamples(
  file: string,
  dtype: 'uint8' | 'float32',
): Promise<Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>> {
  return dtype === 'uint8' ? new Uint8Array((await readAligned(file)).buffer) : readFloat32(file);
}

/** A buffer of its own: views of four-byte types must not start inside a shared pool. */
async function readAligned(file: string): Promise<{ buffer: ArrayBuffer; byteLength: number }> {
  const bytes = await readFile(file);
  const own = new Uint8Array(bytes);
  return { buffer: own.buffer, byteLength: own.byteLength };
}

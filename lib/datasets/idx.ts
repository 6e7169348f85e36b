import { DatasetError } from './errors.ts';

export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array<ArrayBuffer>;
}

const UNSIGNED_BYTE = 0x08;

/**
 * Reads an IDX file of unsigned bytes: two zero bytes, the type, the number of dimensions, their sizes as big-endian
 * 32-bit integers, then the values in row-major order (http://yann.lecun.com/exdb/mnist/).
 *
 * @throws DatasetError `DATASET_CARD_INVALID`: the bytes match their digest, so what the card says of them is wrong.
 */
export function parseIdx(bytes: Buffer<ArrayBuffer>, file: string): IdxArray {
  const rank = bytes.length < 4 ? 0 : bytes.readUInt8(3);
  if (
    rank === 0 ||
    bytes.readUInt16BE(0) !== 0 ||
    bytes.readUInt8(2) !== UNSIGNED_BYTE ||
    bytes.length < 4 + 4 * rank
  ) {
    throw new DatasetError('DATASET_CARD_INVALID', `${file} is no IDX file of unsigned bytes`, {
      field: 'distribution',
    });
  }
  const shape = Array.from({ length: rank }, (_, axis) => bytes.readUInt32BE(4 + 4 * axis));
  const data = bytes.subarray(4 + 4 * rank);
  const expected = shape.reduce((product, size) => product * size, 1);
  if (data.length !== expected) {
    throw new DatasetError('DATASET_CARD_INVALID', `${file} holds ${data.length} values, its header says ${expected}`, {
      field: 'distribution',
    });
  }
  return { shape, data };
}

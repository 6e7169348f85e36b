import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { DatasetCard, FileObject } from './card.ts';
import { DatasetError } from './errors.ts';

/** Hashing goes by pieces of this many bytes, so that the event loop turns between two of them. */
const PIECE = 1 << 20;

/**
 * Reads one file whole and checks it against the card on the way; nothing is remembered between two calls.
 *
 * @throws DatasetError `DATASET_FILE_MISSING` or `DATASET_DIGEST_MISMATCH`, with the file's path as `field`.
 */
export async function readVerified(file: FileObject, root: string): Promise<Buffer<ArrayBuffer>> {
  const handle = await openFile(file, path.join(root, file.contentUrl));
  try {
    return await readAndHash(handle, file);
  } finally {
    await handle.close();
  }
}

/**
 * The bytes of a file of any size, piece by piece, checked against the card on the way: only a file that is whole comes
 * to its end.
 *
 * @param location where the file is
 * @throws DatasetError as `readVerified`, at the latest after the last piece
 */
export async function* streamVerified(file: FileObject, location: string): AsyncGenerator<Uint8Array> {
  const size = Number.parseInt(file.contentSize, 10);
  const handle = await openFile(file, location);
  try {
    const actual = (await handle.stat()).size;
    if (actual !== size) throw mismatch(file, `has ${actual} bytes, its card says ${size}`);
    const hash = createHash('sha256');
    let length = 0;
    for await (const piece of handle.createReadStream({ highWaterMark: PIECE, autoClose: false })) {
      const bytes = piece as Buffer;
      length += bytes.length;
      if (length > size) throw mismatch(file, `has more than the ${size} bytes that its card says`);
      hash.update(bytes);
      yield bytes;
    }
    if (length < size) throw mismatch(file, `ended after ${length} bytes, its card says ${size}`);
    checkDigest(file, hash.digest('hex'));
  } finally {
    await handle.close();
  }
}

async function openFile(file: FileObject, location: string): Promise<FileHandle> {
  try {
    return await open(location, 'r');
  } catch (cause) {
    throw new DatasetError('DATASET_FILE_MISSING', `${file.contentUrl} cannot be read from the data folder`, {
      cause,
      field: file.contentUrl,
    });
  }
}

async function readAndHash(handle: FileHandle, file: FileObject): Promise<Buffer<ArrayBuffer>> {
  const size = Number.parseInt(file.contentSize, 10);
  const actual = (await handle.stat()).size;
  if (actual !== size) throw mismatch(file, `has ${actual} bytes, its card says ${size}`);
  const bytes = Buffer.allocUnsafeSlow(size);
  const hash = createHash('sha256');
  let length = 0;
  while (length < size) {
    const { bytesRead } = await handle.read(bytes, length, Math.min(PIECE, size - length), length);
    if (bytesRead === 0) throw mismatch(file, `ended after ${length} bytes, its card says ${size}`);
    hash.update(bytes.subarray(length, length + bytesRead));
    length += bytesRead;
  }
  checkDigest(file, hash.digest('hex'));
  return bytes;
}

function checkDigest(file: FileObject, sha256: string): void {
  if (sha256 !== file.sha256) throw mismatch(file, `has SHA-256 ${sha256}, its card says ${file.sha256}`);
}

function mismatch(file: FileObject, what: string): DatasetError {
  return new DatasetError('DATASET_DIGEST_MISMATCH', `${file.contentUrl} ${what}`, { field: file.contentUrl });
}

/**
 * One digest for all files of a card: SHA-256 of the lines that `sha256sum` prints for them, ordered by path (compared
 * by code unit). Holds for the data on disk only after every file was read by `readVerified`.
 */
export function dataDigest(card: DatasetCard): string {
  const lines = card.distribution
    .toSorted((a, b) => (a.contentUrl < b.contentUrl ? -1 : 1))
    .map((file) => `${file.sha256}  ${file.contentUrl}\n`);
  return createHash('sha256').update(lines.join('')).digest('hex');
}

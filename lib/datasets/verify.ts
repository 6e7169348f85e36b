import { createHash } from 'node:crypto';
import path from 'node:path';
import canonicalize from 'canonicalize';
import type { DatasetCard, FileObject } from './card.ts';
import { DatasetError } from './errors.ts';
import { dataDigest, readVerified, streamVerified } from './files.ts';
import { findSource, loadCard } from './registry.ts';
import type { ReadFile } from './samples.ts';

export interface DataLocation {
  /** Folder with the data files; default: where the package of the data set is installed. */
  readonly root?: string;
}

export interface VerifiedDataset {
  readonly card: DatasetCard;
  /** SHA-256 of the card as canonical JSON (RFC 8785). */
  readonly cardSha256: string;
  /** SHA-256 over the list of files and their digests. */
  readonly dataSha256: string;
}

/**
 * Checks the card of a data set, then reads every file that it names and compares size and SHA-256.
 *
 * @throws DatasetError `DATASET_UNKNOWN`, `DATASET_CARD_INVALID`, `DATASET_FILE_MISSING`, `DATASET_DIGEST_MISMATCH`;
 * `field` is the card's field or the file.
 */
export async function verifyDataset(name: string, location: DataLocation = {}): Promise<VerifiedDataset> {
  const card = await loadCard(name);
  const root = location.root ?? findSource(name).root();
  for (const file of card.distribution) await drain(streamVerified(file, path.join(root, file.contentUrl)));
  return { card, cardSha256: cardDigest(card), dataSha256: dataDigest(card) };
}

/** Reads files of a card by `@id`, each verified when it is read. */
export function verifiedReader(card: DatasetCard, root: string): ReadFile {
  return async (id) => readVerified(fileById(card, id), root);
}

/** The name of a card's file by `@id`, and its bytes, verified when they end. */
export function verifiedStream(
  card: DatasetCard,
  root: string,
  id: string,
): { file: string; bytes: AsyncIterable<Uint8Array> } {
  const file = fileById(card, id);
  return { file: file.contentUrl, bytes: streamVerified(file, path.join(root, file.contentUrl)) };
}

async function drain(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of bytes) void piece;
}

export function cardDigest(card: DatasetCard): string {
  return createHash('sha256')
    .update(canonicalize(card) ?? '')
    .digest('hex');
}

function fileById(card: DatasetCard, id: string): FileObject {
  const file = card.distribution.find((candidate) => candidate['@id'] === id);
  if (file !== undefined) return file;
  throw new DatasetError('DATASET_CARD_INVALID', `${card.name}: distribution names no file "${id}"`, {
    field: 'distribution',
  });
}

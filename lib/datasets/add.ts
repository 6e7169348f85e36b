import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { AddDatasetRequest, AddDatasetResult, AddedDataset } from '../../contracts/own-data.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import type { ArtifactStore } from '../artifacts/index.ts';
import { DatasetError } from './errors.ts';
import { datasetNames } from './registry.ts';
import { analyseInChild } from './table/analyse-in-child.ts';
import { licenceUrl } from './table/licence.ts';
import { writeCard } from './table/write-card.ts';

/** Gives a content its version; see `Datasets` of `lib/clients`. */
export interface DatasetVersions {
  add(dataset: {
    readonly tenant: string;
    readonly name: string;
    readonly addedBy: string;
    readonly contentSha256: string;
    readonly write: (version: number) => Promise<Pick<AddedDataset, 'card' | 'file' | 'profile'>>;
  }): Promise<{ dataset: AddedDataset; created: boolean }>;
}

export interface AddDatasetOptions {
  readonly request: AddDatasetRequest;
  /** The uploaded file. */
  readonly file: ArtifactRef;
  readonly tenant: string;
  readonly addedBy: string;
  readonly store: Pick<ArtifactStore, 'path' | 'putJson'>;
  readonly versions: DatasetVersions;
  /** Where the card can be read. */
  readonly home: string;
  readonly signal?: AbortSignal;
}

/** Names that the paths of the API need. */
const RESERVED = new Set(['uploads']);

/**
 * Reads a table, writes its card and gives it a version. Nothing is registered of a table with a problem; the same file
 * with the same options again is the version that is there.
 * @throws DatasetError `DATASET_NAME_TAKEN`, `DATASET_CARD_INVALID`, `DATASET_TABLE_INVALID`; ArtifactError; HeavyError
 */
export async function addDataset(o: AddDatasetOptions): Promise<AddDatasetResult> {
  const { request, file, store, signal } = o;
  const { card, name, table } = request;
  if (RESERVED.has(name) || datasetNames().includes(name)) {
    throw new DatasetError('DATASET_NAME_TAKEN', `${name} is the name of a built-in data set`, { field: 'body.name' });
  }
  // Before minutes are spent on the file.
  licenceUrl(card.licence);
  const path = await store.path(file);
  const { profile, schema } = await analyseInChild({ path, file: request.file, options: table, signal });
  const written = { name, card, schema, file: { name: request.file, sha256: file.sha256, bytes: file.bytes } };
  const added = await o.versions.add({
    ...{ tenant: o.tenant, name, addedBy: o.addedBy },
    contentSha256: createHash('sha256')
      .update(canonicalize(written) ?? '')
      .digest('hex'),
    write: async (version) => {
      const today = new Date().toISOString().slice(0, 10);
      const value = writeCard({ ...written, version, rows: profile.rows, home: o.home, today });
      return { card: await store.putJson(value), file, profile: await store.putJson(profile) };
    },
  });
  return { ...added, profile };
}

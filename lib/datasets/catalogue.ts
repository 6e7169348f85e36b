import type { AddedDataset } from '../../contracts/own-data.ts';
import type { ArtifactStore } from '../artifacts/index.ts';
import { parseCard } from './card.ts';
import type { DatasetCard, FileObject } from './card.ts';
import { DatasetError } from './errors.ts';
import { dataDigest } from './files.ts';
import { datasetNames, loadCard } from './registry.ts';
import { prepare, prepareOwnTable } from './prepare.ts';
import type { PreparedDataset, PrepareOptions } from './prepare.ts';
import { cardDigest, verifyDataset } from './verify.ts';
import type { DataLocation, VerifiedDataset } from './verify.ts';
import { z } from 'zod';

/** Where the data sets that people added are listed. */
export interface AddedDatasets {
  find(tenant: string, name: string): Promise<AddedDataset | undefined>;
  list(tenant: string): Promise<AddedDataset[]>;
}

export interface CatalogueOptions {
  readonly store: Pick<ArtifactStore, 'path' | 'readJson'>;
  readonly added: AddedDatasets;
}

/** A data set with its card; `added` is absent for a built-in one. */
export interface ListedDataset {
  readonly card: DatasetCard;
  readonly added?: AddedDataset;
}

/** Tenant of who does not say. */
const DEFAULT_TENANT = 'default';

/** The built-in data sets and those that a tenant added, by one name each: a built-in name cannot be taken. */
export class DatasetCatalogue {
  readonly #options: CatalogueOptions;

  constructor(options: CatalogueOptions) {
    this.#options = options;
  }

  /** By name, the built-in ones first. */
  async list(tenant: string = DEFAULT_TENANT): Promise<ListedDataset[]> {
    const builtIn = await Promise.all(datasetNames().map(async (name) => ({ card: await loadCard(name) })));
    const added = await this.#options.added.list(tenant);
    return [...builtIn, ...(await Promise.all(added.map((dataset) => this.#read(dataset))))];
  }

  /** @throws DatasetError `DATASET_UNKNOWN`, `DATASET_CARD_INVALID`; ArtifactError where the stored card was changed */
  async get(name: string, tenant: string = DEFAULT_TENANT): Promise<ListedDataset> {
    if (datasetNames().includes(name)) return { card: await loadCard(name) };
    const added = await this.#options.added.find(tenant, name);
    if (added !== undefined) return this.#read(added);
    throw new DatasetError('DATASET_UNKNOWN', `there is no data set "${name}"`, { field: 'dataset' });
  }

  /**
   * Checks the card, and every byte of every file against it. @throws as `get`; ArtifactError where the stored file is
   * missing or was changed
   */
  async verify(name: string, o: DataLocation & { readonly tenant?: string } = {}): Promise<VerifiedDataset> {
    const { added, card } = await this.get(name, o.tenant);
    if (added === undefined) return verifyDataset(name, o);
    onlyFile(added, card);
    await this.#options.store.path(added.file);
    return { card, cardSha256: cardDigest(card), dataSha256: dataDigest(card) };
  }

  /** Splits the data set, as `prepare` says. @throws as `prepare` and `verify` */
  async prepare({ tenant, root, ...o }: PrepareOptions & { readonly tenant?: string }): Promise<PreparedDataset> {
    const { added, card } = await this.get(o.dataset, tenant);
    if (added === undefined) return prepare({ ...o, root });
    const file = onlyFile(added, card);
    return prepareOwnTable(o, { card, file, location: await this.#options.store.path(added.file) });
  }

  async #read(added: AddedDataset): Promise<ListedDataset> {
    return { added, card: parseCard(await this.#options.store.readJson(added.card, z.unknown()), added.name) };
  }
}

function onlyFile(added: AddedDataset, card: DatasetCard): FileObject {
  const [file] = card.distribution;
  if (file !== undefined && card.distribution.length === 1 && file.sha256 === added.file.sha256) return file;
  throw new DatasetError('DATASET_DIGEST_MISMATCH', `the card of ${added.name} describes another file`, {
    field: 'distribution[0].sha256',
  });
}

import type { AddedDataset } from '../../contracts/own-data.ts';
import type { ArtifactStore } from '../artifacts/index.ts';
import { parseCard } from './card.ts';
import type { DatasetCard } from './card.ts';
import { DatasetError } from './errors.ts';
import { dataDigest } from './files.ts';
import { datasetNames, loadCard } from './registry.ts';
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
    const [file] = card.distribution;
    if (card.distribution.length !== 1 || file?.sha256 !== added.file.sha256) {
      throw new DatasetError('DATASET_DIGEST_MISMATCH', `the card of ${name} describes another file`, {
        field: 'distribution[0].sha256',
      });
    }
    await this.#options.store.path(added.file);
    return { card, cardSha256: cardDigest(card), dataSha256: dataDigest(card) };
  }

  /** @throws DatasetError `DATASET_TABLE_UNSUPPORTED` for a table; as `get` */
  async requirePreparable(name: string, tenant?: string): Promise<void> {
    const { added } = await this.get(name, tenant);
    if (added === undefined) return;
    throw new DatasetError(
      'DATASET_TABLE_UNSUPPORTED',
      `${name} is a table, which cannot be prepared for training yet`,
      {
        field: 'dataset',
      },
    );
  }

  async #read(added: AddedDataset): Promise<ListedDataset> {
    return { added, card: parseCard(await this.#options.store.readJson(added.card, z.unknown()), added.name) };
  }
}

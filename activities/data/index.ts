import type { CpuActivities } from '../../contracts/activities.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import { DatasetCatalogue } from '../../lib/datasets/index.ts';
import type { AddedDatasets } from '../../lib/datasets/index.ts';

export interface DataDependencies {
  readonly store: ArtifactStore;
  readonly added: AddedDatasets;
  /** Folders of data files by data set; default: where their packages are installed. */
  readonly dataRoots?: Readonly<Record<string, string>>;
}

/** Both read and hash every file anew: what an earlier stage or attempt saw proves nothing about the disk now. */
export function createDataActivities({
  store,
  added,
  dataRoots = {},
}: DataDependencies): Pick<CpuActivities, 'verifyDataCard' | 'prepareData'> {
  const catalogue = new DatasetCatalogue({ store, added });
  return {
    async verifyDataCard({ dataset, tenant }) {
      const location = { tenant, root: dataRoots[dataset] };
      const { card, cardSha256, dataSha256 } = await catalogue.verify(dataset, location);
      return { cardSha256, dataSha256, card: await store.putJson(card) };
    },
    async prepareData({ dataset, tenant, seed, validationShare }) {
      const split = { dataset, tenant, seed, validationShare };
      const prepared = await catalogue.prepare({ ...split, store, root: dataRoots[dataset] });
      const { labels, splits } = prepared.manifest;
      return {
        manifest: prepared.manifestRef,
        cardSha256: prepared.cardSha256,
        dataSha256: prepared.dataSha256,
        classes: labels.length,
        counts: { train: splits.train.count, validation: splits.validation.count, test: splits.test.count },
      };
    },
  };
}

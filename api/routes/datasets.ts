import { z } from 'zod';
import { DatasetDetail, DatasetList, type DatasetSummary } from '../../contracts/api.ts';
import { DatasetProfileView } from '../../contracts/own-data.ts';
import { Name } from '../../contracts/reference.ts';
import { TableProfile } from '../../contracts/table-profile.ts';
import { cardDigest, type ListedDataset } from '../../lib/datasets/index.ts';
import { ApiError } from '../errors.ts';
import { route, type Route } from '../http/route.ts';
import { datasetWriteRoutes, type DatasetRoutesOptions } from './dataset-writes.ts';

export type { DatasetRoutesOptions } from './dataset-writes.ts';

const tag = 'Data sets';
const params = z.strictObject({ name: Name });

export function datasetRoutes(options: DatasetRoutesOptions): Route[] {
  return [...datasetWriteRoutes(options), ...readRoutes(options)];
}

function readRoutes({ catalogue, artifacts }: DatasetRoutesOptions): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/datasets',
      operationId: 'listDatasets',
      tag,
      summary: 'Data sets: the built-in ones, and those that were added',
      access: 'dataset:read',
      success: { status: 200, description: 'All of them.', schema: DatasetList },
      handler: async ({ caller }) => ({ datasets: (await catalogue.list(caller.tenant)).map(summaryOf) }),
    }),
    route({
      method: 'get',
      path: '/v1/datasets/{name}',
      operationId: 'getDataset',
      tag,
      summary: 'The Croissant card of a data set',
      access: 'dataset:read',
      params,
      success: { status: 200, description: 'The card.', schema: DatasetDetail },
      errors: ['DATASET_UNKNOWN', 'ARTIFACT_DIGEST_MISMATCH'],
      handler: async ({ caller, params: { name } }) => {
        const found = await catalogue.get(name, caller.tenant);
        return { ...summaryOf(found), card: { ...found.card } };
      },
    }),
    route({
      method: 'get',
      path: '/v1/datasets/{name}/profile',
      operationId: 'getDatasetProfile',
      tag,
      summary: 'What was measured of a table when it was added',
      access: 'dataset:read',
      params,
      success: { status: 200, description: 'The profile.', schema: DatasetProfileView },
      errors: ['DATASET_UNKNOWN', 'NOT_FOUND', 'ARTIFACT_DIGEST_MISMATCH'],
      handler: async ({ caller, params: { name } }) => {
        const { added } = await catalogue.get(name, caller.tenant);
        if (added === undefined) {
          throw new ApiError('NOT_FOUND', `${name} is built in: it has a card, and no profile.`);
        }
        const profile = await artifacts.readJson(added.profile, TableProfile);
        return { name, version: added.version, profile };
      },
    }),
  ];
}

function summaryOf({ added, card }: ListedDataset): DatasetSummary {
  return {
    name: card.name,
    title: card.name,
    description: card.description,
    license: [card.license].flat().join(' OR '),
    cardSha256: cardDigest(card),
    ...(added && { version: added.version, addedBy: added.addedBy, addedAt: added.addedAt }),
  };
}
